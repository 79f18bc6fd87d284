//go:build linux

package db

import "testing"

// T40: the numbers of file systems are those of statfs(2). Inside the package,
// as a test cannot mount most of them.
func TestDisksOfOtherMachinesAreKnownByTheirNumber(t *testing.T) {
	for magic, want := range map[int64]string{
		0x6969: "NFS", 0xff534d42: "SMB", 0xfe534d42: "SMB", 0x517b: "SMB", 0x01021997: "9p", 0x00c36400: "Ceph", 0x5346414f: "AFS", 0x73757245: "Coda",
		0xef53: "", 0x58465342: "", 0x9123683e: "", 0x01021994: "", 0x794c7630: "", 0x2fc12fc1: "", // ext4, XFS, btrfs, tmpfs, overlay, ZFS
	} {
		// Where a long has 32 bits, large numbers come out negative.
		for _, n := range []int64{magic, int64(int32(uint32(magic)))} {
			if got := networkName(n); got != want {
				t.Errorf("%#x is %q, want %q", n, got, want)
			}
		}
	}
}
