"""The one family of errors. Each message says what was wrong, with what, and what to do now."""

from __future__ import annotations


class GazetteError(Exception):
    """Anything that Gazette refuses or fails to do; its text is shown to the user as it is."""


class UsageError(GazetteError):
    """The request itself is wrong: an empty question, an unknown option's value."""


class SourceError(GazetteError):
    """A source that cannot be read as an article."""


class FetchError(SourceError):
    """A web page that could not be fetched."""


class RefusedAddressError(FetchError):
    """A web address that is not public, refused unless private addresses are allowed."""


class ArchiveError(GazetteError):
    """An archive that cannot be opened or written."""


class ArchiveLockedError(ArchiveError):
    """Another process is writing to the archive."""


class EmbeddingError(GazetteError):
    """An embedding model that cannot be loaded, or that is not the archive's own."""


class LanguageModelError(GazetteError):
    """A language model that cannot be made, reached, or that broke off."""


class ContextTooSmallError(LanguageModelError):
    """A language model that cannot read as much as it was given."""


class CrossEncoderError(GazetteError):
    """A reranker or a verifier that cannot be loaded, or that is none."""
