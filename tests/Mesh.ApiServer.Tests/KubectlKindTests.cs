using System.Text.RegularExpressions;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>The kinds that manifests bring along, by kubectl's own commands for them.</summary>
public sealed partial class KubectlKindTests(GrainHost host) : IClassFixture<GrainHost>
{
    [Fact(Timeout = 120_000)]
    public async Task A_ConfigMap_and_Secrets_are_created_shown_and_described()
    {
        using var kubectl = await NewAsync("kinds");
        Assert.Equal("configmap/settings created\n", await kubectl.RunAsync("create configmap settings -n kinds --from-literal=a=1 --from-literal=b=two"));
        Assert.Equal("secret/password created\n", await kubectl.RunAsync("create secret generic password -n kinds --from-literal=user=me --from-literal=password=hunter2"));
        Assert.Equal(
            "secret/registry created\n",
            await kubectl.RunAsync("create secret docker-registry registry -n kinds --docker-server=r.example --docker-username=u --docker-password=p"));
        Assert.Equal("serviceaccount/runner created\n", await kubectl.RunAsync("create serviceaccount runner -n kinds"));

        Assert.Equal("NAME DATA AGE\nsettings 2 AGE\n", Told(await kubectl.RunAsync("get cm -n kinds")));
        Assert.Equal(
            "NAME TYPE DATA AGE\npassword Opaque 2 AGE\nregistry kubernetes.io/dockerconfigjson 1 AGE\n",
            Told(await kubectl.RunAsync("get secrets -n kinds")));
        Assert.Equal("NAME SECRETS AGE\ndefault 0 AGE\nrunner 0 AGE\n", Told(await kubectl.RunAsync("get sa -n kinds")));
        Assert.Contains("a:\n----\n1\n", await kubectl.RunAsync("describe cm settings -n kinds"), StringComparison.Ordinal);
        Assert.Contains("password:  7 bytes\n", await kubectl.RunAsync("describe secret password -n kinds"), StringComparison.Ordinal);
        Assert.Contains("Name:                runner\n", await kubectl.RunAsync("describe sa runner -n kinds"), StringComparison.Ordinal);
        Assert.Equal("aHVudGVyMg==", await kubectl.RunAsync("get secret password -n kinds -o jsonpath={.data.password}"));
        Assert.Equal("configmap/settings patched\n", await kubectl.RunAsync("patch cm settings -n kinds -p '{\"data\":{\"b\":\"three\"}}'"));
        Assert.Equal("1 three", await kubectl.RunAsync("get cm settings -n kinds -o 'jsonpath={.data.a} {.data.b}'"));
        Assert.Contains("tokens of ServiceAccounts are not in this version", (await kubectl.TryAsync("create token runner -n kinds")).Error, StringComparison.Ordinal);

        Assert.Contains("\"kinds\" deleted", await kubectl.RunAsync("delete ns kinds --timeout=60s"), StringComparison.Ordinal);
        Assert.Equal("", await kubectl.RunAsync("get cm,secrets,sa -n kinds -o name"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_certificate_becomes_a_Secret()
    {
        using var kubectl = await NewAsync("certificates");
        var directory = TestDirectory.Make("mesh-tls-");
        try
        {
            using var key = System.Security.Cryptography.ECDsa.Create();
            var request = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=a.example", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
            using var certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow(), TimeProvider.System.GetUtcNow().AddDays(1));
            var (crt, pem) = (Path.Combine(directory, "tls.crt"), Path.Combine(directory, "tls.key"));
            await File.WriteAllTextAsync(crt, certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(pem, key.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);

            Assert.Equal("secret/web created\n", await kubectl.RunAsync($"create secret tls web -n certificates --cert={crt} --key={pem}"));
            Assert.Equal("NAME TYPE DATA AGE\nweb kubernetes.io/tls 2 AGE\n", Told(await kubectl.RunAsync("get secrets -n certificates")));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Mesh_has_an_IngressClass_of_its_own_and_each_Namespace_its_ServiceAccount()
    {
        using var kubectl = await NewAsync("accounts");
        Assert.Equal(
            "NAME CONTROLLER PARAMETERS AGE\nmesh mesh.internal/ingress <none> AGE\n", Told(await kubectl.RunAsync("get ingressclass mesh")));
        var described = await kubectl.RunAsync("describe ingressclass mesh");
        Assert.Contains("ingressclass.kubernetes.io/is-default-class: true", described, StringComparison.Ordinal);
        foreach (var ns in new[] { "default", "kube-system", "accounts" })
        {
            using var accounts = await Watching.StartAsync(host, $"/api/v1/namespaces/{ns}/serviceaccounts?watch=true");
            Assert.Equal(("ADDED", "default"), await accounts.NextAsync());
        }

        using var events = await Watching.StartAsync(host, "/api/v1/namespaces/accounts/serviceaccounts?watch=true");
        Assert.Equal(("ADDED", "default"), await events.NextAsync());
        await kubectl.RunAsync("delete sa default -n accounts");
        Assert.Equal(("DELETED", "default"), await events.NextAsync());
        Assert.Equal(("ADDED", "default"), await events.NextAsync());
    }

    [Fact(Timeout = 120_000)]
    public async Task Leases_are_kept_beside_those_of_the_nodes()
    {
        using var kubectl = await NewAsync("leases");
        const string Lease = """{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"leader"},"spec":{"holderIdentity":"app-1","leaseDurationSeconds":15}}""";
        Assert.Equal("lease.coordination.k8s.io/leader created\n", await kubectl.RunAsync("apply -n leases -f -", Lease));

        Assert.Equal("NAME HOLDER AGE\nleader app-1 AGE\n", Told(await kubectl.RunAsync("get leases -n leases")));
        Assert.Equal(
            "NAMESPACE NAME HOLDER AGE\nkube-node-lease machine-1 machine-1 AGE\nleases leader app-1 AGE\n", Told(await kubectl.RunAsync("get leases -A")));
        Assert.Contains("app-1", await kubectl.RunAsync("describe lease leader -n leases"), StringComparison.Ordinal);
        Assert.Contains("neither written nor watched", (await kubectl.TryAsync("apply -n kube-node-lease -f -", Lease)).Error, StringComparison.Ordinal);
        Assert.Contains("deleted", await kubectl.RunAsync("delete lease leader -n leases"), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task The_API_is_a_Service_with_its_own_address_and_comes_back_when_it_is_deleted()
    {
        using var kubectl = await NewAsync("api");
        using (var slices = await Watching.StartAsync(host, "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?watch=true"))
        {
            Assert.Equal(("ADDED", "kubernetes"), await slices.NextAsync());
        }


        Assert.Matches(@"^kubernetes ClusterIP 127\.96\.\d+\.\d+ <none> 443/TCP AGE\n$", Told(await kubectl.RunAsync("get svc kubernetes -n default --no-headers")));
        var described = await kubectl.RunAsync("describe svc kubernetes -n default");
        Assert.Matches($@"TargetPort:\s+{host.Url.Port}/TCP\n", described);
        Assert.Matches($@"Endpoints:\s+127\.0\.0\.1:{host.Url.Port}\n", described);
        Assert.Equal($"kubernetes 127.0.0.1:{host.Url.Port} AGE\n", Told(await kubectl.RunAsync("get endpoints kubernetes -n default --no-headers")));
        Assert.Equal("kubernetes", await kubectl.RunAsync("get endpointslices -n default -l kubernetes.io/service-name=kubernetes -o jsonpath={.items[*].metadata.name}"));

        using var endpoints = await Watching.StartAsync(host, "/api/v1/namespaces/default/endpoints?watch=true");
        Assert.Equal(("ADDED", "kubernetes"), await endpoints.NextAsync());
        await kubectl.RunAsync("delete svc kubernetes -n default");
        Assert.Equal(("DELETED", "kubernetes"), await endpoints.NextAsync());
        Assert.Equal(("ADDED", "kubernetes"), await endpoints.NextAsync());
        Assert.Equal("service/kubernetes\n", await kubectl.RunAsync("get svc kubernetes -n default -o name"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Explain_shows_what_types_and_fields_are_for()
    {
        using var kubectl = await NewAsync("explained");
        var service = await kubectl.RunAsync("explain service.spec");
        Assert.Contains("Spec defines the behavior of a service.", service, StringComparison.Ordinal);
        Assert.Matches(@"publishNotReadyAddresses\s+<boolean>\n\s+publishNotReadyAddresses indicates", service);
        Assert.Contains("Secret holds secret data of a certain type.", await kubectl.RunAsync("explain secret"), StringComparison.Ordinal);
        Assert.Contains("backend defines the referenced service endpoint", await kubectl.RunAsync("explain ingress.spec.rules.http.paths"), StringComparison.Ordinal);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("create deployment web --image=nginx", "\"deployments\" in version \"apps/v1\" are not served")]
    [InlineData("create job once --image=nginx", "\"jobs\" in version \"batch/v1\" are not served")]
    [InlineData("create cronjob often --image=nginx --schedule=@daily", "\"cronjobs\" in version \"batch/v1\" are not served")]
    [InlineData("create role r --verb=get --resource=pods", "\"roles\" in version \"rbac.authorization.k8s.io/v1\" are not served")]
    [InlineData("create clusterrole r --verb=get --resource=pods", "\"clusterroles\" in version \"rbac.authorization.k8s.io/v1\" are not served")]
    [InlineData("create quota q --hard=pods=1", "\"resourcequotas\" in version \"v1\" are not served")]
    [InlineData("create pdb p --selector=app=web --min-available=1", "\"poddisruptionbudgets\" in version \"policy/v1\" are not served")]
    [InlineData("get deployments", "the server doesn't have a resource type \"deployments\"")]
    public async Task A_kind_that_is_not_served_is_named(string command, string words)
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        using var kubectl = new Kubectl(host);

        var answer = await kubectl.TryAsync(command);

        Assert.Equal(1, answer.Code);
        Assert.Contains(words, answer.Error, StringComparison.Ordinal);
    }

    private async Task<Kubectl> NewAsync(string ns)
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        var kubectl = new Kubectl(host);
        await kubectl.RunAsync($"create namespace {ns}");
        return kubectl;
    }

    private static string Told(string table) => Spaces().Replace(Ages().Replace(table, " AGE\n"), " ");

    [GeneratedRegex(@" \d+[smh](\d+s)?\n")]
    private static partial Regex Ages();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
