{{- define "mlflow-monitor.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* 45 characters, so that `-scheduler` and the suffixes of pods fit. */}}
{{- define "mlflow-monitor.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" }}
{{- else }}
{{- $name := include "mlflow-monitor.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- $full | trunc 45 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "mlflow-monitor.selectorLabels" -}}
app.kubernetes.io/name: {{ include "mlflow-monitor.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "mlflow-monitor.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "mlflow-monitor.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "mlflow-monitor.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "mlflow-monitor.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "mlflow-monitor.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{/* The Deployments as a JSON list: one with all roles, or one for each role. `api` and `single` serve the page. */}}
{{- define "mlflow-monitor.components" -}}
{{- ternary (list "single") (list "api" "worker" "scheduler") (eq .Values.mode "single") | toJson }}
{{- end }}

{{- define "mlflow-monitor.componentName" -}}
{{- $full := include "mlflow-monitor.fullname" .root }}
{{- ternary $full (printf "%s-%s" $full .component) (eq .component "single") }}
{{- end }}

{{/* The values that give an environment variable, as a JSON list of pairs [variable, value]. */}}
{{- define "mlflow-monitor.sources" -}}
{{- $pairs := list }}
{{- with .Values }}
{{- range $name, $value := .settings }}{{ $pairs = append $pairs (list $name "settings") }}{{ end }}
{{- range $name, $secret := .secrets }}{{ $pairs = append $pairs (list $name "secrets") }}{{ end }}
{{- range .extraEnv }}{{ $pairs = append $pairs (list .name "extraEnv") }}{{ end }}
{{- if .externalSecrets.enabled }}
{{- range .externalSecrets.data }}{{ $pairs = append $pairs (list .secretKey "externalSecrets") }}{{ end }}
{{- end }}
{{- end }}
{{- toJson $pairs }}
{{- end }}

{{/* Not empty if a value gives this environment variable. What `envFrom` contains is not known here. */}}
{{- define "mlflow-monitor.isSet" -}}
{{- $name := .name }}
{{- range include "mlflow-monitor.sources" .root | fromJsonArray }}{{ if eq (first .) $name }}yes{{ end }}{{ end }}
{{- end }}

{{/* A value as text: Helm reads whole numbers as floats, which would print as 1e+06. */}}
{{- define "mlflow-monitor.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ toString . }}{{ end }}
{{- end }}

{{/* The values that the Secret of this release holds, as YAML; empty if there are none. */}}
{{- define "mlflow-monitor.secretData" -}}
{{- range $name, $secret := .Values.secrets }}
{{- if hasKey $secret "value" }}
{{ $name }}: {{ include "mlflow-monitor.text" $secret.value | quote }}
{{- end }}
{{- end }}
{{- with .Values.adminTokens.value }}
admin-tokens: {{ . | quote }}
{{- end }}
{{- end }}

{{/* Browsers may open the service under these names only, besides internal ones. */}}
{{- define "mlflow-monitor.ingressHosts" -}}
{{- $hosts := list }}
{{- range .Values.ingress.hosts }}{{ $hosts = append $hosts .host }}{{ end }}
{{- join "," $hosts }}
{{- end }}

{{- define "mlflow-monitor.usesClaim" -}}
{{- if and (eq .Values.mode "single") .Values.persistence.enabled }}yes{{ end }}
{{- end }}
