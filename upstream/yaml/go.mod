module podgate.dev/upstream/yaml

go 1.23.0

require (
	k8s.io/apimachinery v0.32.0
	sigs.k8s.io/json v0.0.0-20241010143419-9aa6b5e7a4b3
)

require sigs.k8s.io/yaml v1.4.0
