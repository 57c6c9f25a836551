{{/* The environment of a component. HOST, PORT, STORAGE_DIR and NODE_ENV come from the image. */}}
{{- define "mlflow-monitor.env" -}}
{{- $root := .root }}
{{- with $root.Values }}
{{- if eq .mode "roles" }}
- name: ROLES
  value: {{ $.component }}
{{- else if not (include "mlflow-monitor.isSet" (dict "root" $root "name" "REDIS_URL")) }}
- name: QUEUE_BACKEND
  value: embedded
{{- end }}
{{- if and .ingress.enabled (not (include "mlflow-monitor.isSet" (dict "root" $root "name" "ALLOWED_HOSTS"))) }}
- name: ALLOWED_HOSTS
  value: {{ include "mlflow-monitor.ingressHosts" $root | quote }}
{{- end }}
{{- if or .catalog.text .catalog.configMap }}
- name: METRICS_API_URL
  value: file:/etc/mlflow-monitor/catalog/catalog.yaml
- name: THRESHOLDS_API_URL
  value: file:/etc/mlflow-monitor/catalog/catalog.yaml
{{- end }}
{{- if or .adminTokens.value .adminTokens.secretName }}
- name: ADMIN_TOKEN_SHA256_FILE
  value: /etc/mlflow-monitor/access/admin-tokens
{{- end }}
{{- range $name, $value := .settings }}
- name: {{ $name }}
  value: {{ include "mlflow-monitor.text" $value | quote }}
{{- end }}
{{- range $name, $secret := .secrets }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      {{- if $secret.secretName }}
      name: {{ $secret.secretName }}
      key: {{ $secret.secretKey }}
      {{- else }}
      name: {{ include "mlflow-monitor.fullname" $root }}
      key: {{ $name }}
      {{- end }}
{{- end }}
{{- with .extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}

{{/* Resources of a component. Without a persistent volume its local copies and temporary files count as ephemeral storage. */}}
{{- define "mlflow-monitor.resources" -}}
{{- $own := dict }}
{{- if ne .component "single" }}{{ $own = index .root.Values .component "resources" }}{{ end }}
{{- $resources := deepCopy (default .root.Values.resources $own) }}
{{- if not (include "mlflow-monitor.usesClaim" .root) }}
{{- with .root.Values.ephemeralStorage }}
{{- $defaults := dict "requests" (dict "ephemeral-storage" .request) "limits" (dict "ephemeral-storage" .limit) }}
{{- $resources = mergeOverwrite $defaults $resources }}
{{- end }}
{{- end }}
{{- toYaml $resources }}
{{- end }}

{{- define "mlflow-monitor.podLabels" -}}
{{ include "mlflow-monitor.selectorLabels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "mlflow-monitor.pod" -}}
{{- $root := .root }}
{{- $component := .component }}
{{- with $root.Values }}
metadata:
  labels:
    {{- include "mlflow-monitor.podLabels" $ | nindent 4 }}
    {{- with .podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- $secret := include "mlflow-monitor.secretData" $root }}
  {{- if or .podAnnotations $secret }}
  annotations:
    {{- if $secret }}
    # A changed secret restarts the pods.
    checksum/secret: {{ $secret | sha256sum }}
    {{- end }}
    {{- with .podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
spec:
  serviceAccountName: {{ include "mlflow-monitor.serviceAccountName" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with .imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    {{- toYaml .podSecurityContext | nindent 4 }}
  terminationGracePeriodSeconds: {{ .terminationGracePeriodSeconds }}
  containers:
    - name: mlflow-monitor
      image: {{ include "mlflow-monitor.image" $root | quote }}
      imagePullPolicy: {{ .image.pullPolicy }}
      securityContext:
        {{- toYaml .securityContext | nindent 8 }}
      {{- with include "mlflow-monitor.env" $ | trim }}
      env:
        {{- . | nindent 8 }}
      {{- end }}
      {{- if or .envFrom .externalSecrets.enabled }}
      envFrom:
        {{- if .externalSecrets.enabled }}
        - secretRef:
            name: {{ include "mlflow-monitor.fullname" $root }}-external
        {{- end }}
        {{- with .envFrom }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      ports:
        - name: http
          containerPort: 3000
      startupProbe:
        httpGet: { path: /health/startup, port: http }
        {{- toYaml .probes.startup | nindent 8 }}
      readinessProbe:
        httpGet: { path: /health/ready, port: http }
        {{- toYaml .probes.readiness | nindent 8 }}
      livenessProbe:
        httpGet: { path: /health/live, port: http }
        {{- toYaml .probes.liveness | nindent 8 }}
      lifecycle:
        preStop:
          sleep:
            seconds: {{ .preStopSeconds }}
      resources:
        {{- include "mlflow-monitor.resources" $ | nindent 8 }}
      volumeMounts:
        - name: data
          mountPath: /data
        # Node.js caches compiled code here, and commands keep temporary files. Names with a dot are not data.
        - name: data
          mountPath: /tmp
          subPath: .system-tmp
        {{- if or .catalog.text .catalog.configMap }}
        - name: catalog
          mountPath: /etc/mlflow-monitor/catalog
          readOnly: true
        {{- end }}
        {{- if or .adminTokens.value .adminTokens.secretName }}
        - name: access
          mountPath: /etc/mlflow-monitor/access
          readOnly: true
        {{- end }}
        {{- with .extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: data
      {{- if include "mlflow-monitor.usesClaim" $root }}
      persistentVolumeClaim:
        claimName: {{ default (include "mlflow-monitor.fullname" $root) .persistence.existingClaim }}
      {{- else }}
      emptyDir:
        sizeLimit: {{ .ephemeralStorage.limit }}
      {{- end }}
    {{- if or .catalog.text .catalog.configMap }}
    - name: catalog
      configMap:
        name: {{ default (printf "%s-catalog" (include "mlflow-monitor.fullname" $root)) .catalog.configMap }}
    {{- end }}
    {{- if or .adminTokens.value .adminTokens.secretName }}
    - name: access
      secret:
        secretName: {{ default (include "mlflow-monitor.fullname" $root) .adminTokens.secretName }}
        items:
          - key: {{ ternary .adminTokens.secretKey "admin-tokens" (ne .adminTokens.secretName "") }}
            path: admin-tokens
    {{- end }}
    {{- with .extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- $selector := dict "labelSelector" (dict "matchLabels" (include "mlflow-monitor.podLabels" $ | fromYaml)) }}
    {{- range . }}
    - {{- toYaml (merge (deepCopy .) $selector) | nindent 6 }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
