# What is typed `sh /session.sh` into the guest's shell: work whose output must be the same on every machine.
work() {
  echo "sha256 $(seq 1 20000 | sha256sum)"
  echo "gzip $(seq 1 20000 | gzip | wc -c) bytes, back: $(seq 1 20000 | gzip | gunzip | sha256sum)"
  gzip -c /bin/busybox | gunzip | cmp - /bin/busybox && echo 'gzip: busybox came back as it was'

  # This awk has no sin and exp, so Newton and Euler compute what they can with the four operations.
  awk 'BEGIN { for (i = 1; i <= 8; i++) { x = i; for (n = 0; n < 20; n++) x = (x + i / x) / 2; printf "awk %.15g %.15g %d\n", x, 1 / (i * 3.3) % 0.01, i * 1e8 / 7 } }'
  awk 'BEGIN { e = t = 1; for (i = 1; i <= 20; i++) e += t /= i; for (i = 1; i <= 2000; i++) { s += 1 / (i * i); p = p * 1.0000001 + i / 3 } printf "awk sums %.15g %.15g %.15g\n", e, s, p }'
  echo 'scale = 40; 4 * a(1); e(1); l(2); sqrt(2); 2 ^ 200; s(0.5) ^ 2 + c(0.5) ^ 2' | bc -l | sed 's/^/bc /'

  seq 1 5000 | sort -r | uniq | awk '{ s += $1 } END { print "pipeline", s, NR }' | tr ' ' ':'
  i=0; while [ $i -lt 20 ]; do i=$((i + 1)); echo $i; done | sort -n | tail -1 | sed 's/^/processes and pipes: /'

  sh -c 'trap "echo signal: USR1 was caught" USR1; kill -USR1 $$; echo "signal: and sh went on"'
  # The shell says "Terminated" or does not, by whether the child is gone when it waits.
  (sleep 1000 & kill $!; wait $!; echo "signal: TERM ends sleep with status $?") 2>/dev/null
  sh -c 'kill -SEGV $$'; echo "signal: SEGV ends sh with status $?"
  sh -c 'trap "" INT; kill -INT $$; echo "signal: INT was ignored"'
  (trap 'echo "signal: EXIT ran"' EXIT)
  yes | head -1 >/dev/null; echo "signal: PIPE ended yes"
}
work 2>&1 | sed 's/^/session: /'
echo 'session: end'
reboot -f
