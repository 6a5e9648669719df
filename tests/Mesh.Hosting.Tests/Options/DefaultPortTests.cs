using System.Globalization;
using Mesh.Hosting.Options;
using Xunit;

namespace Mesh.Hosting.Tests.Options;

/// <summary>Mesh is started beside applications whose ports nobody has thought about.</summary>
public sealed class DefaultPortTests
{
    /// <summary>Defaults of container images, web servers and tools (ADR 0013).</summary>
    private static readonly int[] Others = [80, 443, 3000, 4200, 5173, 8000, 8008, 8080, 8081, 8088, 8443, 8888, 9000, 9090, 9443];

    [Fact]
    public void The_defaults_of_the_Ingress_are_nobody_elses()
    {
        var ports = OptionTable.Silo.Where(option => option.Name is "ingress-http" or "ingress-https").Select(option => Port(option.Default)).ToList();

        Assert.Equal([8780, 8743], ports);
        Assert.All(ports, port =>
        {
            Assert.DoesNotContain(port, Others);
            Assert.False(port is (>= 5000 and <= 5300) or (>= 7000 and <= 7300), "dotnet new gives it to an application");
            Assert.InRange(port, 1024, 29_999); // no privilege, no NodePort, and not where the kernel takes a connection's own port
        });
    }

    [Fact]
    public void What_the_help_names_is_what_an_option_is_when_it_is_not_given()
    {
        var run = Assert.IsType<OptionsOutcome.Run>(OptionsParser.Parse([], new Dictionary<string, string>(), "here", OptionTable.Silo));

        Assert.Equal(Port(OptionTable.Silo.Single(option => option.Name == "ingress-http").Default), run.Options.IngressHttp.Port);
        Assert.Equal(Port(OptionTable.Silo.Single(option => option.Name == "ingress-https").Default), run.Options.IngressHttps.Port);
    }

    private static int Port(string address) => int.Parse(address.AsSpan(address.LastIndexOf(':') + 1), CultureInfo.InvariantCulture);
}
