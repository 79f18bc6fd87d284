package queue

// Keep sets how many frames are kept, before anybody listens.
func (f *Feed) Keep(frames int) { f.frames = frames }
