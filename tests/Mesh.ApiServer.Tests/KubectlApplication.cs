using System.Text.RegularExpressions;

namespace Mesh.ApiServer.Tests;

/// <summary>A Service, its ready Pod and an Ingress, applied by kubectl to a namespace of a test's own, which the Ingress' host is named after.</summary>
internal static partial class KubectlApplication
{
    private const string Manifests = """
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec:
          selector: {app: web}
          ports: [{name: http, port: 80, targetPort: http}]
        ---
        apiVersion: v1
        kind: Pod
        metadata:
          name: web-1
          labels: {app: web}
          annotations: {mesh.internal/pod-ip: 127.0.0.1}
        spec:
          containers: [{name: web, ports: [{name: http, containerPort: 8080}]}]
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: web}
        spec:
          rules:
          - host: NAMESPACE.example
            http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}
        """;

    public static async Task<Kubectl> StartAsync(GrainHost host, string ns)
    {
        await Kubectl.SkipUnlessUsableAsync(Xunit.TestContext.Current.CancellationToken);
        var kubectl = new Kubectl(host);
        await kubectl.RunAsync($"create namespace {ns}");
        await kubectl.RunAsync($"apply -n {ns} -f -", Manifests.Replace("NAMESPACE", ns, StringComparison.Ordinal));
        await host.ReportAsync(ns, "web-1", await UidAsync(kubectl, ns), isReady: true);
        await kubectl.RunAsync($"wait -n {ns} pod/web-1 --for=condition=Ready --timeout=30s");
        await kubectl.RunAsync($"wait -n {ns} endpoints/web --for=jsonpath={{.subsets[0].addresses[0].ip}}=127.0.0.1 --timeout=30s");
        await kubectl.RunAsync($"wait -n {ns} ingress/web --for=jsonpath={{.status.loadBalancer.ingress[0].ip}}=127.0.0.1 --timeout=30s");
        return kubectl;
    }

    public static Task<string> UidAsync(Kubectl kubectl, string ns) => kubectl.RunAsync($"get pod web-1 -n {ns} -o jsonpath={{.metadata.uid}}");

    /// <summary>Columns are as wide as their content: spaces are one. Ages, times and names that were drawn are masked.</summary>
    public static string[] Rows(string text) =>
    [
        .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => Times().Replace(line, "TIME"))
            .Select(line => Ages().Replace(line, " AGE"))
            .Select(line => ClusterIPs().Replace(line, "CLUSTER-IP"))
            .Select(line => Drawn().Replace(line, "web-DRAWN"))
            .Select(line => Spaces().Replace(line, " ").Trim()),
    ];

    [GeneratedRegex(@"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}|\d{4}-\d\d-\d\dT[\d:.]+Z")]
    private static partial Regex Times();

    [GeneratedRegex(@" (\d+[smh])+( \(x\d+ over (\d+[smh])+\))?(?= |$)")]
    private static partial Regex Ages();

    [GeneratedRegex(@"127\.96\.\d+\.\d+")]
    private static partial Regex ClusterIPs();

    [GeneratedRegex(@"\bweb-[a-z0-9]{5}\b")]
    private static partial Regex Drawn();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
