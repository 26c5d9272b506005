"""The version of the engine: what an outlook names, so that it can be made again."""

__all__ = ["__version__"]

__version__ = "0.1.0"
