package store

// PassingColumns are the columns after whose moment something is over, as
// table.column.
func PassingColumns() (all []string) {
	for _, p := range passing {
		for _, column := range p.columns {
			all = append(all, p.table+"."+column)
		}
	}
	return all
}

// UnconcernedColumns say why the other columns are no such moment.
var UnconcernedColumns = unconcerned
