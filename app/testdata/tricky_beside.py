PAGE = "/lab/tree"
