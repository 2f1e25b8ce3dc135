"""Pure rules over records: what passes, what a certificate may say, how it is signed. No torch, no files."""
