"""Pictures that look nearly the same: what each looks like in small, and which are alike."""
