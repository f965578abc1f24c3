"""The register as a database: what people decided, under which article, with all its history."""
