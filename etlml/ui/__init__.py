"""What the screens share: frame, canvas, lists, charts, forms, words for numbers and times."""
