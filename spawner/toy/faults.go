package toy

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// faults are the ways in which a start was asked to misbehave.
type faults struct {
	startDelay, dieAfter, stopDelay time.Duration
	fail                            string
	neverReady                      bool
}

// readFaults takes user_options["toy"]. Forms send lists of texts, the API numbers and booleans: both are fine.
func readFaults(options map[string]any) (faults, error) {
	toy, ok := options["toy"].(map[string]any)
	if !ok {
		if options["toy"] != nil {
			return faults{}, fmt.Errorf("read user_options of a toy server: toy is no object")
		}
		return faults{}, nil
	}
	var f faults
	for name, value := range toy {
		if list, ok := value.([]any); ok && len(list) == 1 {
			value = list[0]
		}
		var err error
		switch name {
		case "start_delay":
			f.startDelay, err = seconds(value)
		case "die_after":
			f.dieAfter, err = seconds(value)
		case "stop_delay":
			f.stopDelay, err = seconds(value)
		case "fail":
			f.fail = fmt.Sprint(value)
		case "never_ready":
			f.neverReady, err = strconv.ParseBool(fmt.Sprint(value))
		default:
			err = fmt.Errorf("known are start_delay, fail, never_ready, die_after and stop_delay")
		}
		if err != nil {
			return faults{}, fmt.Errorf("read user_options of a toy server: toy.%s: %w", name, err)
		}
	}
	return f, nil
}

func seconds(value any) (time.Duration, error) {
	var n float64
	var err error
	switch value := value.(type) {
	case float64:
		n = value
	case int:
		n = float64(value)
	case json.Number:
		n, err = value.Float64()
	case string:
		n, err = strconv.ParseFloat(value, 64)
	default:
		err = fmt.Errorf("%v is no number", value)
	}
	if err != nil || !(n >= 0 && n < 1e6) {
		return 0, fmt.Errorf("%v is no number of seconds", value)
	}
	return time.Duration(n * float64(time.Second)), nil
}
