using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>A Pod that was applied as a manifest: its node says whether its process is there.</summary>
public sealed class ManifestPodTests
{
    [Theory(Timeout = 30_000)]
    [InlineData("")]
    [InlineData(""","readinessProbe":{"tcpSocket":{"port":"main"},"periodSeconds":1,"failureThreshold":1}""")]
    [InlineData(""","readinessProbe":{"httpGet":{"port":"main"},"periodSeconds":1,"failureThreshold":1}""")]
    public async Task Where_nobody_listens_its_process_is_awaited(string probe)
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // nobody else gets the port, and nobody accepts there

        await agent.Agent.ApplyAsync(Manifest(((IPEndPoint)silent.LocalEndPoint!).Port, probe));

        // On a busy machine a try may run out of its time before the kernel's word is read; the next one reads it.
        var report = await agent.ReportAsync(told => !told.Ready && told.Reason != PodReasons.Unhealthy, stop);
        Assert.Equal((PodReasons.ProcessAwaited, false), (report.Reason, report.Registered));
        silent.Listen();
        if (probe.Contains("httpGet", StringComparison.Ordinal))
        {
            // Somebody is there now, and does not answer: not ready, and not awaited.
            Assert.Equal(PodReasons.Unhealthy, (await agent.ReportAsync(told => told.Reason != PodReasons.ProcessAwaited, stop)).Reason);
        }
        else
        {
            Assert.Equal("", (await agent.ReportAsync(told => told.Ready, stop)).Reason);
        }
    }

    private static RoutingChange.PodSpec Manifest(int port, string probe) => new(new ObjectDocument(
        NamespacedName.Of("default", "web"),
        "uid-1",
        1,
        1,
        Encoding.UTF8.GetBytes($$$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"default","uid":"uid-1","resourceVersion":"1"},
             "spec":{"nodeName":"n1","containers":[{"name":"web","ports":[{"name":"main","containerPort":{{{port}}}}]{{{probe}}}}]}}
            """)));
}
