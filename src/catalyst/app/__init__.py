"""Settings, composition and the command line: the only room that constructs the others."""
