"""Native Kafka and schema registry of this machine, and the local certificate authority.

`cluster` up, down, status · `certificates` issue_role, issue_agency · `kafka`, `registry` one program each ·
`artifacts` their downloads · `process` pid files and ports.
"""
