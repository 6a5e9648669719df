using System.Net;
using Mesh.Core.Services;
using Xunit;

namespace Mesh.Core.Tests.Services;

public class ServiceParserTests
{
    [Fact]
    public void A_full_document_becomes_a_record()
    {
        var service = Parse(
            """
            {"kind":"Service","apiVersion":"v1",
             "metadata":{"name":"web","namespace":"default","uid":"u1","resourceVersion":"17","labels":{"x":"y"}},
             "spec":{"type":"NodePort","clusterIP":"127.96.0.9","clusterIPs":["127.96.0.9"],"selector":{"app":"web"},
              "publishNotReadyAddresses":true,
              "ports":[{"name":"http","port":80,"targetPort":8080,"appProtocol":"http","nodePort":30080},
                       {"name":"dns","protocol":"UDP","port":53,"targetPort":"named"}]}}
            """);

        Assert.Equal("default/web", service.Name.ToString());
        Assert.Equal(("u1", 17L, 5L), (service.Uid, service.ResourceVersion, service.CreatedVersion));
        Assert.Equal(ServiceType.NodePort, service.Type);
        Assert.Equal([IPAddress.Parse("127.96.0.9")], service.ClusterIPs);
        Assert.Equal("web", service.Selector["app"]);
        Assert.True(service.PublishNotReadyAddresses);
        Assert.Equal(new ServicePort("http", TransportProtocol.Tcp, 80, new TargetPort.Number(8080), "http", 30080), service.Ports[0]);
        Assert.Equal(new ServicePort("dns", TransportProtocol.Udp, 53, new TargetPort.Named("named")), service.Ports[1]);
    }

    [Fact]
    [Trait("Row", "SVC-D1")]
    [Trait("Row", "SVC-D2")]
    [Trait("Row", "SVC-D3")]
    public void Absent_fields_have_the_defaults_of_the_API()
    {
        var service = Parse("""{"metadata":{"name":"web","namespace":"default"},"spec":{"ports":[{"port":80},{"port":81,"targetPort":0}]}}""");

        Assert.Equal(ServiceType.ClusterIP, service.Type);
        Assert.Equal(new ServicePort("", TransportProtocol.Tcp, 80, new TargetPort.Number(80)), service.Ports[0]);
        Assert.Equal(new TargetPort.Number(81), service.Ports[1].Target);
        Assert.Empty(service.ClusterIPs);
        Assert.Empty(service.Selector);
    }

    [Fact]
    public void Headless_and_external_names_have_no_address()
    {
        var headless = Parse("""{"metadata":{"name":"a","namespace":"b"},"spec":{"clusterIP":"None","clusterIPs":["None"]}}""");
        var external = Parse("""{"metadata":{"name":"a","namespace":"b"},"spec":{"type":"ExternalName","externalName":"example.com"}}""");

        Assert.True(headless.IsHeadless);
        Assert.Empty(headless.ClusterIPs);
        Assert.Equal("example.com", external.ExternalName);
    }

    [Fact]
    [Trait("Row", "SVC-L10")]
    public void The_addresses_of_a_load_balancer_are_those_that_Mesh_itself_answers()
    {
        var service = Balancer(
            """
            {"ip":"192.0.2.7","ipMode":"VIP"},{"ip":"127.98.0.1"},{"ip":"192.0.2.8","ipMode":"Proxy"},{"hostname":"lb.example.com"},
            {"ip":"0.0.0.0"},{"ip":"224.0.0.1"},{"ip":"127.1"},{"ip":"192.0.2.7"}
            """);

        Assert.Equal([IPAddress.Parse("192.0.2.7"), IPAddress.Parse("127.98.0.1")], service.LoadBalancerAddresses);
        Assert.Equal(30080, service.Ports[0].NodePort);
    }

    [Theory]
    [InlineData("ClusterIP", 0)]
    [InlineData("NodePort", 30080)]
    public void What_a_change_of_type_has_left_behind_is_not_answered(string type, int nodePort)
    {
        var service = Balancer("""{"ip":"192.0.2.7"}""", type);

        Assert.Empty(service.LoadBalancerAddresses);
        Assert.Equal(nodePort, service.Ports[0].NodePort);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"kind":"Pod","metadata":{"name":"a","namespace":"b"}}""")]
    [InlineData("""{"metadata":{"name":"A!","namespace":"b"}}""")]
    [InlineData("""{"metadata":{"name":"a"}}""")]
    [InlineData("""{"metadata":{"name":"a","namespace":"b","resourceVersion":"x"}}""")]
    [InlineData("""{"metadata":{"name":"a","namespace":"b"},"spec":{"ports":[{"port":0}]}}""")]
    [InlineData("""{"metadata":{"name":"a","namespace":"b"},"spec":{"ports":[{"port":"80"}]}}""")]
    [InlineData("""{"metadata":{"name":"a","namespace":"b"},"spec":{"ports":[7]}}""")]
    [InlineData("""{"metadata":{"name":"a","namespace":"b"},"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":65536}]}}""")]
    [InlineData("""{"metadata":{"name":"a","namespace":"b"},"spec":{"type":"LoadBalancer"},"status":{"loadBalancer":{"ingress":"127.0.0.1"}}}""")]
    [InlineData("""{"metadata":{"name":"a","namespace":"b"},"spec":{"clusterIP":"127.1"}}""")]
    [InlineData("""{"metadata":{"name":"a","namespace":"b"},"spec":{"clusterIPs":[3]}}""")]
    [InlineData("""{"metadata":{"name":"a","namespace":"b"},"spec":{"selector":{"app":1}}}""")]
    [InlineData("""{"metadata":{"name":"a","namespace":"b"},"spec":{"externalName":"\ud800"}}""")]
    public void What_is_not_an_admitted_Service_is_refused(string document) =>
        Assert.Throws<FormatException>(() => Parse(document));

    private static Service Balancer(string ingress, string type = "LoadBalancer") => Parse(
        $$"""
        {"metadata":{"name":"web","namespace":"default"},"spec":{"type":"{{type}}","ports":[{"port":80,"nodePort":30080}]},
         "status":{"loadBalancer":{"ingress":[{{ingress}}] } } }
        """);

    private static Service Parse(string json) => ServiceParser.Parse(Json.Utf8(json), 5);
}
