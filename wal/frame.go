package wal

func (r *Record) Encode() ([]byte, error)        { panic("not yet") }
func DecodeRecord(frame []byte) (*Record, error) { panic("not yet") }
