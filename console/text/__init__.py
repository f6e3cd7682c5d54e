"""How things are written: numbers, times and ids in words, hostile text made inert, texts cut to cells. Pure."""
