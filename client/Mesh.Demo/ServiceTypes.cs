using System.Net;
using System.Text.Json;

namespace Mesh.Demo;

/// <summary>The types of Service beside ClusterIP, one of each.</summary>
internal sealed class ServiceTypes(Cluster cluster, Teller tell, Answers answers, CancellationToken stop)
{
    public async Task ShowAsync(string manifest)
    {
        tell.Chapter("The other types of Service: NodePort, LoadBalancer, ExternalName");
        await cluster.Api.CreateAllAsync(manifest, stop);

        var spec = (await ServiceAsync("soup-on-every-address")).GetProperty("spec");
        var nodePort = spec.GetProperty("ports")[0].GetProperty("nodePort").GetInt32();
        await ShowAnswerAsync("NodePort", IPAddress.Loopback, nodePort);

        var status = (await ServiceAsync("soup-balanced")).GetProperty("status");
        var address = status.GetProperty("loadBalancer").GetProperty("ingress")[0].GetProperty("ip").GetString()!;
        await ShowAnswerAsync("LoadBalancer", IPAddress.Parse(address), 8080);

        const string Name = "recipes.default.svc.cluster.local";
        var alias = await DnsLookup.AliasOfAsync(Name, cluster.Dns, stop);
        tell.Fact(alias == "www.example.com", $"ExternalName: DNS says {Name} is {alias ?? "unknown"}");
    }

    private async Task ShowAnswerAsync(string type, IPAddress address, int port)
    {
        var url = new Uri($"http://{address}:{port}/");
        JsonElement? answer = null;
        await Cluster.WaitAsync($"the {type} {url.Authority} answers", async token => (answer = await answers.TryGetAsync(url, null, token)) is not null, null, stop);
        tell.Fact(true, $"{type}: {url.Authority} was answered by {answer!.Value.GetProperty("pod")}");
    }

    private Task<JsonElement> ServiceAsync(string name) => cluster.Api.GetAsync($"/api/v1/namespaces/default/services/{name}", stop);
}
