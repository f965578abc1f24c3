"""The language: Avro schemas and the words for them. Imports none of the other rooms."""
