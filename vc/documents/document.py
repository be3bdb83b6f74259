"""The way in for the rest of the product: a document, what is wrong with one, and who it is about."""

from vc.documents.catalogue import parse
from vc.documents.identity import compare_identity
from vc.documents.model import Document, DocumentInvalid, Problem

__all__ = ["Document", "DocumentInvalid", "Problem", "compare_identity", "parse"]
