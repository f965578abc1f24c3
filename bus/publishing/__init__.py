"""What turns changes into signed submissions, for the Publisher and for connectors alike."""
