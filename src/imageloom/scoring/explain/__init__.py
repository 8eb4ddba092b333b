"""Why a model names what it names: where it looks, and which training pictures are alike."""
