"""What the streams found, into the register: alarms to notices, hits and differences to cases."""
