using System.Net;
using Mesh.Core.Pods;
using Mesh.Core.Services;
using Xunit;

namespace Mesh.Core.Tests.Pods;

public class PodParserTests
{
    [Fact]
    public void A_registered_Pod_becomes_a_record()
    {
        var pod = Parse(
            """
            {"kind":"Pod","metadata":{"name":"web-1","namespace":"default","uid":"u","resourceVersion":"9",
              "labels":{"app":"web"},"annotations":{"mesh.internal/registered-by":"stream"}},
             "spec":{"nodeName":"n1","containers":[{"name":"web-1","ports":[{"name":"http","containerPort":8081}]}],
              "initContainers":[{"ports":[{"name":"once","containerPort":1}]},
                                {"restartPolicy":"Always","ports":[{"name":"side","containerPort":2,"protocol":"UDP"}]}]},
             "status":{"phase":"Running","podIP":"127.80.0.4","conditions":[{"type":"Ready","status":"True"}]}}
            """);

        Assert.Equal("default/web-1", pod.Name.ToString());
        Assert.Equal(IPAddress.Parse("127.80.0.4"), pod.PodIP);
        Assert.Equal("n1", pod.NodeName);
        Assert.Equal(
            [new ContainerPort("http", 8081, TransportProtocol.Tcp), new ContainerPort("side", 2, TransportProtocol.Udp)], pod.Ports);
        Assert.True(pod.IsRegistered);
        Assert.True(pod.IsReady);
        Assert.False(pod.IsTerminal);
        Assert.Null(pod.ReadinessProbe);
    }

    [Fact]
    public void A_manifest_names_its_address_in_an_annotation()
    {
        var pod = Parse(
            """
            {"metadata":{"name":"a","namespace":"b","deletionTimestamp":"2024-01-01T00:00:00Z",
              "annotations":{"mesh.internal/pod-ip":"10.0.0.7"}},
             "status":{"phase":"Failed"}}
            """);

        Assert.Equal(IPAddress.Parse("10.0.0.7"), pod.PodIP);
        Assert.False(pod.IsRegistered);
        Assert.True(pod.IsDeleting);
        Assert.True(pod.IsTerminal);
    }

    [Fact]
    public void A_probe_has_the_defaults_of_Kubernetes()
    {
        var probe = Probe("""{"httpGet":{"port":"http"}}""");

        var get = Assert.IsType<ProbeAction.HttpGet>(probe!.Action);
        Assert.Equal(("HTTP", null, "/", new PortReference(0, "http")), (get.Scheme, get.Host, get.Path, get.Port));
        Assert.Empty(get.Headers);
        Assert.Equal((TimeSpan.Zero, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1), 1, 3),
            (probe.InitialDelay, probe.Period, probe.Timeout, probe.SuccessThreshold, probe.FailureThreshold));
    }

    [Fact]
    public void A_probe_keeps_what_it_says()
    {
        var probe = Probe(
            """
            {"tcpSocket":{"port":80,"host":"h"},"initialDelaySeconds":5,"periodSeconds":2,"timeoutSeconds":3,
             "successThreshold":4,"failureThreshold":6}
            """);

        Assert.Equal(new ProbeAction.TcpSocket("h", new PortReference(80, null)), probe!.Action);
        Assert.Equal((TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3), 4, 6),
            (probe.InitialDelay, probe.Period, probe.Timeout, probe.SuccessThreshold, probe.FailureThreshold));
    }

    [Theory]
    [InlineData("""{"exec":{"command":["true"]}}""")]
    [InlineData("""{"grpc":{"port":1}}""")]
    public void Actions_that_need_a_kubelet_leave_readiness_to_the_ports(string probe) => Assert.Null(Probe(probe));

    [Theory]
    [InlineData("""{"metadata":{"name":"a","namespace":"b"},"status":{"podIP":"nowhere"}}""")]
    [InlineData("""{"metadata":{"name":"a","namespace":"b","annotations":{"mesh.internal/pod-ip":"1.2"}}}""")]
    [InlineData("""{"metadata":{"name":"a","namespace":"b"},"spec":{"containers":[{"ports":[{"containerPort":70000}]}]}}""")]
    [InlineData("""{"metadata":{"name":"a","namespace":"b"},"spec":{"containers":[{"readinessProbe":{"tcpSocket":{"port":1},"periodSeconds":-1}}]}}""")]
    public void What_is_not_an_admitted_Pod_is_refused(string document) => Assert.Throws<FormatException>(() => Parse(document));

    private static Probe? Probe(string probe) =>
        Parse($$$"""{"metadata":{"name":"a","namespace":"b"},"spec":{"containers":[{"readinessProbe":{{{probe}}}}]}}""").ReadinessProbe;

    private static Pod Parse(string json) => PodParser.Parse(Json.Utf8(json), 5);
}
