"""What people may say of a cell: the classes of `serving.contract.classes`, or none yet."""

from serving.contract import CELL_CLASSES, CellClass

UNIDENTIFIED = "unidentified"

BY_CODE: dict[str, CellClass] = {cell_class.code: cell_class for cell_class in CELL_CLASSES}
