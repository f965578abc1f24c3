"""How notices leave: as signed JSON over HTTP, and as mail."""
