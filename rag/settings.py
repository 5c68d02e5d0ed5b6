"""Settings: a command-line flag, then `GAZETTE_*`, then `gazette.toml`, then the default."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from platformdirs import user_config_path
from pydantic import SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from rag.errors import UsageError


class Settings(BaseSettings):
    """What a user can set, once for every way of using Gazette."""

    model_config = SettingsConfigDict(
        env_prefix="GAZETTE_", toml_file="gazette.toml", extra="forbid"
    )

    archive: Path = Path("archive")
    """The archive's folder."""
    embedding_model: str | None = None
    """None: the model that made the archive, or the embedded one for a new archive."""
    reranker: str | None = None
    """A sentence-transformers CrossEncoder by name or path that orders the passages found."""
    reader: Literal["own", "none"] = "own"
    """Whether our own reader has its say on the sentences; `none`: they are chosen by signals."""
    llm: str = "extractive"
    """`extractive`, or a LangChain chat model as `provider:model`."""
    base_url: str | None = None
    """Of a server that speaks the model provider's protocol; no key is demanded then."""
    input_price: float | None = None
    """Of a million tokens that the language model reads, in your currency."""
    output_price: float | None = None
    """Of a million tokens that it writes."""
    verifier: str | None = None
    """A cross-encoder, by name or path, that was trained on natural language inference; None: what
    a language model writes, and what is claimed, is verified by signals."""
    tokens: Path = user_config_path("gazette") / "tokens.json"
    """The file of the tokens by which other machines may ask."""
    trace: Literal["none", "otlp", "console"] = "none"
    """Where the command line sends OpenTelemetry spans: a collector, which the standard variables
    (`OTEL_EXPORTER_OTLP_ENDPOINT` and others) name, or stderr."""
    trace_content: bool = False
    """Whether questions, passages and answers may be in the spans."""
    log: Literal["text", "json"] = "text"
    """`json`: the command line logs what becomes of a question, one JSON object a line."""
    api_key: SecretStr | None = None
    """None: the provider's own variable, for example MISTRAL_API_KEY."""

    @classmethod
    def given(cls, **overrides: Any) -> Settings:
        """The settings with what a caller gave; None means not given.

        Raises `UsageError` for a value that does not fit, naming where it stands.
        """
        try:
            return cls(**{name: value for name, value in overrides.items() if value is not None})
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            raise UsageError(
                f"the setting {name!r} does not fit ({first['msg'].lower()}); mend the flag, "
                f"GAZETTE_{name.upper()} or gazette.toml"
            ) from error
        except (ValueError, OSError) as error:  # TOML that cannot be read
            raise UsageError(f"gazette.toml cannot be read ({error}); mend it") from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags before environment before file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
