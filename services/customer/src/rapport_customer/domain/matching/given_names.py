"""Common Western given names. Two similar names of this list are different names, such as Marco and Mario.

The most frequent names of the last generations, after the name statistics of Germany, France, Italy, Spain, the United
Kingdom and the United States, in small letters without accents.
"""

from typing import Final

_NAMES: Final = (
    "adam alan albert alberto alex alexander alexandra alice alina amelie amy ana andre andrea andreas andrew "
    "angela anita anja anke ann anna anne annette anthony anton antonia antonio arthur barbara ben benjamin bernd "
    "bianca birgit brian britta bruno camille carl carla carlo carlos carmen carol carolin caroline catherine "
    "charles charlotte chiara chris christa christian christina christine christoph christopher clara claudia claus "
    "clemens cornelia daniel daniela danielle david dean debra dennis diana diane dieter dirk dominic dominik "
    "donald dora doris dorothea edgar edith edward elena elisa elisabeth elizabeth elke ella ellen emil emilia "
    "emily emma eric erich erik erika ernst erwin eva fabian felix ferdinand finn florian francesca francesco "
    "francis frank franz frieda friedrich fritz gabriel gabriela gary georg george gerald gerd gerda gerhard giulia "
    "greta gustav hanna hannah hannes hans harald harry heidi heike heiko heinz helen helena helga henri henriette "
    "henry herbert hermann hilda holger horst hugo ian ida ina ines inga inge ingo ingrid irene iris isabel "
    "isabella jack jacob jakob james jan jana jane janet jason jean jeff jennifer jens jeremy jessica jill jim joan "
    "joanna joao joe johann johanna johannes john jon jonas jonathan jorg jorge jose josef joseph joshua juan "
    "judith julia julian juliane julie jurgen justin karen karin karl karla karsten kate katharina katherine "
    "kathrin katja kevin kim klara klaus konrad kurt lara larry lars laura lea lena leo leon leonie liam lily linda "
    "lisa livia lou louis louisa louise luca lucas lucia lucy luigi luis luisa lukas luke lydia maja malte manfred "
    "manuel manuela mara marc marcel marco marcus margaret margot maria marie marina mario marion mark marko markus "
    "marlene marta martha martin martina mary mathias matilda matteo matthew matthias max maximilian maya melanie "
    "mia michael michaela michel michelle mila miriam mona monica monika moritz nadia nadine nancy natalia natalie "
    "nathan nelly nick nico nicola nicolas nicole nina noah nora norbert olaf oliver olivia oscar oskar otto paola "
    "patricia patrick paul paula paulina pauline pedro peggy peter petra philip philipp phillip pia pierre rachel "
    "rainer ralf ralph ramona raul rebecca regina renate rene rita robert roberto robin roger roland rolf roman ron "
    "ronald rosa ruth ryan sabine sabrina sally sam samuel sandra sandro sara sarah scott sean sebastian silke "
    "silvia simon simone sofia sonja sophia sophie stefan stefanie stella stephan stephanie stephen steve steven "
    "sue susan susanna susanne sven sylvia tanja tanya ted teresa theo theresa thomas tim timo tina tobias tom toni "
    "tony torsten udo ulla ulrich ulrike ursula ute uwe valentin valentina valerie vanessa vera verena victor "
    "victoria viktor viola walter werner wilhelm willi william wolfgang xaver yvonne"
)
KNOWN: Final = frozenset(_NAMES.split(" "))


def two_names(a: str, b: str) -> bool:
    """Whether the two are different names rather than two spellings of one name."""
    return a != b and a in KNOWN and b in KNOWN
