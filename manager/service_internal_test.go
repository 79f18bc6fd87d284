package manager

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// part is a service that ends with its context, or at once with an error.
type part struct {
	name string
	err  error
	ends func(name string, why error)
}

func (p part) Run(ctx context.Context) error {
	if p.err != nil {
		return p.err
	}
	<-ctx.Done()
	p.ends(p.name, context.Cause(ctx))
	return nil
}

func TestServicesEndInTheirOrder(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct{ err, want error }{{errStopped, nil}, {broken, broken}} {
		var order []string
		ends := func(name string, why error) {
			order = append(order, name)
			if !errors.Is(why, c.err) {
				t.Errorf("%s ends because of %v", name, why)
			}
		}
		err := serve(t.Context(), []service{part{"a", nil, ends}, part{"b", c.err, ends}, part{"c", nil, ends}, part{"d", nil, ends}})
		if !errors.Is(err, c.want) || !slices.Equal(order, []string{"a", "c", "d"}) {
			t.Errorf("%v, %v", err, order)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var why error
	if err := serve(ctx, []service{part{"a", nil, func(_ string, w error) { why = w }}}); !errors.Is(err, context.Canceled) || !errors.Is(why, errStopped) {
		t.Errorf("%v, %v", err, why)
	}
}
