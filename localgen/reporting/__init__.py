"""Reports in the forms that people and programs read: text, SARIF, GitHub annotations. Nothing is printed here."""
