"""Small public protocols whose number of states others have published: they calibrate the engines."""
