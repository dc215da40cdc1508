"""Messages of errors end with the mend; here the two are told apart."""

import re

_LAST_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_MENDS = (
    "Did you|Choose|Write|Check|Add|Use|Put|Take|Set|Give|See|Cancel|Wait|Remove|Rename|Look|Mend|Save|Known|It has|Ask|Start",
    "Drop|Fill|Cast|Leave|Quote|Try|Raise|Lower|Change|Name|Sort|Correct|Make|Press|Install|Run|Copy|Split|Free|Sign|Close|Restore",
)
_MEND = re.compile(rf"^({'|'.join(_MENDS)})\b")


def split_mend(message: str) -> tuple[str, str]:
    """A message as (what was wrong, the mend); the mend is empty where the last sentence is none."""
    lines = message.strip()
    sentences = _LAST_SENTENCE.split(lines)
    for at in range(1, len(sentences)):
        if _MEND.match(sentences[at]):
            return " ".join(sentences[:at]), " ".join(sentences[at:])
    return lines, ""
