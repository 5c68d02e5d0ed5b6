"""Training the reader's adapter: rag/adapter/reader.safetensors."""
