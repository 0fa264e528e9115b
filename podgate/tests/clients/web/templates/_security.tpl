{{- define "web.pod" -}}
{{- if .Values.restricted }}
securityContext:
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
{{- end }}
{{- end }}
{{- define "web.container" -}}
{{- if .Values.restricted }}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
{{- end }}
{{- end }}
