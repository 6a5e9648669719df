using Mesh.Core.Ingresses;
using Xunit;

namespace Mesh.Core.Tests.Ingresses;

public class IngressAcceptanceTests
{
    [Theory]
    [InlineData("nginx.ingress.kubernetes.io/auth-type", "basic")]
    [InlineData("nginx.ingress.kubernetes.io/auth-secret", "users")]
    [InlineData("nginx.ingress.kubernetes.io/auth-url", "https://login.example.com")]
    [InlineData("nginx.ingress.kubernetes.io/auth-tls-secret", "default/ca")]
    [InlineData("nginx.ingress.kubernetes.io/auth-tls-verify-client", "on")]
    [InlineData("nginx.ingress.kubernetes.io/enable-global-auth", "true")]
    [InlineData("nginx.ingress.kubernetes.io/whitelist-source-range", "10.0.0.0/8")]
    [InlineData("nginx.ingress.kubernetes.io/allowlist-source-range", "10.0.0.0/8, 0.0.0.0/1")]
    [InlineData("nginx.ingress.kubernetes.io/denylist-source-range", "0.0.0.0/0")]
    [InlineData("nginx.ingress.kubernetes.io/server-snippet", "deny all;")]
    [InlineData("nginx.ingress.kubernetes.io/configuration-snippet", "deny all;")]
    [InlineData("nginx.org/basic-auth-secret", "users")]
    [InlineData("nginx.com/jwt-key", "keys")]
    [InlineData("nginx.org/policies", "only-us")]
    [InlineData("nginx.org/location-snippets", "deny all;")]
    [InlineData("haproxy.org/allow-list", "10.0.0.0/8")]
    [InlineData("haproxy.org/deny-list", "10.0.0.0/8")]
    [InlineData("haproxy.org/whitelist", "10.0.0.0/8")]
    [InlineData("haproxy.org/auth-type", "basic-auth")]
    [InlineData("haproxy.org/backend-config-snippet", "http-request deny")]
    [InlineData("haproxy-ingress.github.io/auth-secret", "users")]
    [InlineData("haproxy-ingress.github.io/oauth", "oauth2_proxy")]
    [InlineData("haproxy-ingress.github.io/config-backend", "acl a src 10.0.0.0/8")]
    [InlineData("ingress.kubernetes.io/auth-type", "basic")]
    [InlineData("haproxy.router.openshift.io/ip_whitelist", "10.0.0.1")]
    [InlineData("traefik.ingress.kubernetes.io/router.middlewares", "default-auth@kubernetescrd")]
    [InlineData("traefik.ingress.kubernetes.io/router.tls.options", "default-mtls@kubernetescrd")]
    [InlineData("traefik.ingress.kubernetes.io/router.entrypoints", "internal")]
    [InlineData("alb.ingress.kubernetes.io/auth-type", "oidc")]
    [InlineData("alb.ingress.kubernetes.io/inbound-cidrs", "10.0.0.0/24")]
    [InlineData("alb.ingress.kubernetes.io/scheme", "internal")]
    [InlineData("alb.ingress.kubernetes.io/security-groups", "sg-1")]
    [InlineData("alb.ingress.kubernetes.io/mutual-authentication", "[{}]")]
    [InlineData("appgw.ingress.kubernetes.io/use-private-ip", "true")]
    [InlineData("konghq.com/plugins", "key-auth")]
    [InlineData("zalando.org/skipper-predicate", "Source(\"10.0.0.0/8\")")]
    [InlineData("higress.io/domain-whitelist-source-range", "10.0.0.0/8")]
    [InlineData("nginx.ingress.kubernetes.io/auth-tls-secret", "n/ca")]
    [Trait("Row", "ING-T13")]
    public void An_Ingress_that_asks_for_protection_is_not_routed_unless_its_writer_says_so(string annotation, string value)
    {
        var ingress = Parse((annotation, value));

        Assert.True(ForeignAnnotations.ChangesTraffic(annotation));
        var not = IngressAcceptance.WhyNot(ingress, NoClass);
        Assert.Equal("AccessNotEnforced", not?.Reason);
        Assert.Contains(annotation, not!.Message, StringComparison.Ordinal);
        Assert.Contains("kubectl annotate -n n ingress i mesh.internal/route-unprotected=true", not.Message, StringComparison.Ordinal);
        Assert.Null(IngressAcceptance.WhyNot(Parse((annotation, value), ("mesh.internal/route-unprotected", "true")), NoClass));
        Assert.NotNull(IngressAcceptance.WhyNot(Parse((annotation, value), ("mesh.internal/route-unprotected", "false")), NoClass));
    }

    [Theory]
    [InlineData("nginx.ingress.kubernetes.io/auth-type", "")]
    [InlineData("nginx.ingress.kubernetes.io/auth-tls-verify-client", "off")]
    [InlineData("nginx.ingress.kubernetes.io/enable-global-auth", "false")]
    [InlineData("nginx.ingress.kubernetes.io/whitelist-source-range", "0.0.0.0/0, ::/0")]
    [InlineData("nginx.ingress.kubernetes.io/rewrite-target", "/$2")]
    [InlineData("nginx.ingress.kubernetes.io/ssl-redirect", "true")]
    [InlineData("nginx.ingress.kubernetes.io/limit-rps", "5")]
    [InlineData("traefik.ingress.kubernetes.io/router.entrypoints", "websecure")]
    [InlineData("traefik.ingress.kubernetes.io/router.tls", "true")]
    [InlineData("alb.ingress.kubernetes.io/auth-type", "none")]
    [InlineData("alb.ingress.kubernetes.io/scheme", "internet-facing")]
    [InlineData("konghq.com/strip-path", "true")]
    [InlineData("haproxy.org/timeout-server", "5s")]
    [InlineData("nginx.ingress.kubernetes.io/backend-protocol", "HTTPS")]
    [InlineData("nginx.ingress.kubernetes.io/ssl-passthrough", "true")]
    [Trait("Row", "ING-T14")]
    [Trait("Row", "ING-T15")]
    public void What_keeps_nobody_out_is_warned_of_and_routed(string annotation, string value)
    {
        Assert.True(ForeignAnnotations.ChangesTraffic(annotation));
        Assert.Null(IngressAcceptance.WhyNot(Parse((annotation, value)), NoClass));
    }

    [Theory]
    [InlineData("kubectl.kubernetes.io/last-applied-configuration")]
    [InlineData("cert-manager.io/cluster-issuer")]
    [InlineData("meta.helm.sh/release-name")]
    [InlineData("mesh.internal/route-unprotected")]
    [InlineData("ingressclass.kubernetes.io/is-default-class")]
    [InlineData("example.com/auth-type")]
    [InlineData("auth-type")]
    public void What_no_controller_reads_is_nobodys_business(string annotation)
    {
        Assert.False(ForeignAnnotations.ChangesTraffic(annotation));
        Assert.Null(IngressAcceptance.WhyNot(Parse((annotation, "basic")), NoClass));
    }

    [Fact]
    public void Several_are_counted() => Assert.Contains(
        "auth-secret (and 2 more annotations) asks",
        IngressAcceptance.WhyNot(Parse(
            ("nginx.ingress.kubernetes.io/auth-type", "basic"),
            ("nginx.ingress.kubernetes.io/auth-secret", "users"),
            ("nginx.ingress.kubernetes.io/whitelist-source-range", "10.0.0.0/8")), NoClass)!.Message,
        StringComparison.Ordinal);

    [Theory]
    [Trait("Row", "ING-K01")]
    [Trait("Row", "ING-K02")]
    [Trait("Row", "ING-K04")]
    [InlineData(null, true)]
    [InlineData("", true)]
    [InlineData("mesh", true)]
    [InlineData("internal", true)] // an IngressClass with Mesh's controller
    [InlineData("nginx", false)]
    [InlineData("Mesh", false)]
    public void An_Ingress_of_another_class_is_not_routed(string? className, bool isRouted)
    {
        var not = IngressAcceptance.WhyNot(Parse() with { ClassName = className }, name => name == "internal");

        Assert.Equal(isRouted ? null : "OtherClass", not?.Reason);
        Assert.True(isRouted || not!.Message.Contains($"it is of class {className}", StringComparison.Ordinal));
    }

    private static bool NoClass(string name) => false;

    private static Ingress Parse(params (string Name, string Value)[] annotations)
    {
        var all = string.Join(',', annotations.Select(pair => $"\"{pair.Name}\":\"{pair.Value.Replace("\"", "\\\"", StringComparison.Ordinal)}\""));
        return IngressParser.Parse(Json.Utf8($$$"""{"metadata":{"name":"i","namespace":"n","annotations":{{{{all}}}}},"spec":{}}"""), 5);
    }
}
