"""Reports that people enjoy reading: one self-contained HTML file each."""
