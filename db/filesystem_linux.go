package db

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// checkFilesystem refuses file systems on which SQLite's write-ahead log or our
// locks do not work, because several machines may see the same files.
func checkFilesystem(folder string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return fmt.Errorf("%s: %w", folder, err)
	}
	if name := networkName(int64(st.Type)); name != "" {
		return fmt.Errorf("%w: %s is on %s", ErrNetwork, folder, name)
	}
	return nil
}

// networkName names a network file system by its number in statfs(2), and is
// empty for others.
func networkName(magic int64) string {
	switch uint32(magic) {
	case unix.NFS_SUPER_MAGIC:
		return "NFS"
	case unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		return "SMB"
	case unix.V9FS_MAGIC:
		return "9p"
	case unix.CEPH_SUPER_MAGIC:
		return "Ceph"
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		return "AFS"
	case unix.CODA_SUPER_MAGIC:
		return "Coda"
	}
	return ""
}
