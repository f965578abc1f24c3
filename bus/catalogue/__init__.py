"""The catalogue outside the register: workbooks for offices, documents for other platforms."""
