package taskfile

type Schema struct {
	Type string
	Pattern string
	MinLength, MaxLength, MinItems int
	Enum []any
	Items, Not, PropertyNames, AdditionalProperties *Schema
	UniqueItems bool
}
func (r rule) schema(in form) *Schema { return &Schema{} }
func wholeSchema(in form, low, high int) *Schema { return &Schema{} }
func limitSchema(in form) *Schema { return &Schema{} }
func instantSchema() *Schema { return &Schema{} }
func objectSchema[T any](t table[T], in form) *Schema { return &Schema{} }
