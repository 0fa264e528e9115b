{{- define "shop.container" -}}
image: {{ .Values.image | quote }}
securityContext: {{- toYaml .Values.securityContext | nindent 2 }}
{{- end }}
