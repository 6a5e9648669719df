using System.Text.RegularExpressions;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>The Service types that answer outside the cluster, made by kubectl and shown by it as on Kubernetes.</summary>
public sealed partial class KubectlServiceTypeTests(GrainHost host) : IClassFixture<GrainHost>
{
    [Fact(Timeout = 180_000)]
    [Trait("Row", "SVC-P1")]
    [Trait("Row", "SVC-L1")]
    public async Task They_are_exposed_created_listed_and_described()
    {
        using var kubectl = await KubectlApplication.StartAsync(host, "types");

        Assert.Equal("service/web-node exposed\n", await kubectl.RunAsync("expose pod web-1 -n types --name web-node --type NodePort --port 81 --target-port 8080"));
        Assert.Equal("service/web-lb exposed\n", await kubectl.RunAsync("expose service web -n types --name web-lb --type LoadBalancer --port 82 --target-port http"));
        Assert.Equal("service/told created\n", await kubectl.RunAsync("create service nodeport told -n types --tcp 80:8080 --node-port 30081"));
        Assert.Equal("service/balanced created\n", await kubectl.RunAsync("create service loadbalancer balanced -n types --tcp 83:8080"));
        Assert.Equal("service/waits created\n", await kubectl.RunAsync("create service loadbalancer waits -n types --tcp 83:8080"));
        var taken = await kubectl.TryAsync("create service nodeport late -n types --tcp 80:8080 --node-port 30081");
        Assert.Contains("spec.ports[0].nodePort: Invalid value: 30081: provided port is already allocated to Service types/told", taken.Error, StringComparison.Ordinal);

        AssertRows(
            """
            NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE
            balanced LoadBalancer CLUSTER-IP 127.0.0.1 83:NODEPORT/TCP AGE
            told NodePort CLUSTER-IP <none> 80:30081/TCP AGE
            waits LoadBalancer CLUSTER-IP <pending> 83:NODEPORT/TCP AGE
            web ClusterIP CLUSTER-IP <none> 80/TCP AGE
            web-lb LoadBalancer CLUSTER-IP 127.0.0.1 82:NODEPORT/TCP AGE
            web-node NodePort CLUSTER-IP <none> 81:NODEPORT/TCP AGE
            """,
            await kubectl.RunAsync("get svc -n types"));
        await kubectl.RunAsync("wait -n types endpoints/web-lb --for=jsonpath={.subsets[0].addresses[0].ip}=127.0.0.1 --timeout=30s");
        AssertRows(
            """
            Name: web-lb
            Namespace: types
            Labels: <none>
            Annotations: <none>
            Selector: app=web
            Type: LoadBalancer
            IP Family Policy: SingleStack
            IP Families: IPv4
            IP: CLUSTER-IP
            IPs: CLUSTER-IP
            LoadBalancer Ingress: 127.0.0.1 (VIP)
            Port: <unset> 82/TCP
            TargetPort: http/TCP
            NodePort: <unset> NODEPORT/TCP
            Endpoints: 127.0.0.1:8080
            Session Affinity: None
            External Traffic Policy: Cluster
            Internal Traffic Policy: Cluster
            Events: <none>
            """,
            await kubectl.RunAsync("describe svc web-lb -n types"));
        await kubectl.RunAsync("wait -n types events --field-selector reason=AddressNotAllocated --for=jsonpath={.count}=1 --all --timeout=30s");
        Assert.Contains("127.0.0.1/TCP/83 is allocated to Service types/balanced", await kubectl.RunAsync("describe svc waits -n types"), StringComparison.Ordinal);
    }

    private static void AssertRows(string expected, string printed) =>
        Assert.Equal(expected, string.Join('\n', KubectlApplication.Rows(printed).Select(row => NodePorts().Replace(row, "NODEPORT"))));

    /// <summary>Numbers that Mesh chose: those of the test lie before them.</summary>
    [GeneratedRegex(@"\b(300(8[6-9]|9\d)|30[1-9]\d\d|3[12]\d{3})(?=/TCP)")]
    private static partial Regex NodePorts();
}
