using System.Text.RegularExpressions;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>What kubectl shows of a running application: get -o wide, edit, wait and events.</summary>
public sealed class KubectlViewTests(GrainHost host) : IClassFixture<GrainHost>
{
    [Fact(Timeout = 120_000)]
    [Trait("Row", "ING-ST5")]
    public async Task Tables_show_a_running_application()
    {
        using var kubectl = await RunningAsync("tables");

        Assert.Equal(
            ["NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES", "web-1 1/1 Running 0 AGE 127.0.0.1 machine-1 <none> <none>"],
            Rows(await kubectl.RunAsync("get pods -n tables -o wide")));
        Assert.Equal(
            ["NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE SELECTOR", "web ClusterIP CLUSTER-IP <none> 80/TCP AGE app=web"],
            Rows(await kubectl.RunAsync("get svc -n tables -o wide")));
        Assert.Equal(
            ["NAME CLASS HOSTS ADDRESS PORTS AGE", "web <none> tables.example 127.0.0.1 80 AGE"],
            Rows(await kubectl.RunAsync("get ing -n tables -o wide")));
        Assert.Equal(["NAME ENDPOINTS AGE", "web 127.0.0.1:8080 AGE"], Rows(await kubectl.RunAsync("get ep -n tables")));
        var slices = Rows(await kubectl.RunAsync("get endpointslices -n tables -l kubernetes.io/service-name=web"));
        Assert.Equal("NAME ADDRESSTYPE PORTS ENDPOINTS AGE", slices[0]);
        Assert.Equal("web-DRAWN IPv4 8080 127.0.0.1 AGE", slices[1]);
        Assert.Matches("^machine-1 Ready <none> AGE v0.1.0 127.0.0.1 <none> ", Rows(await kubectl.RunAsync("get nodes -o wide"))[1]);
        Assert.Equal(["pod/web-1", "service/web"], (await kubectl.RunAsync("get all -n tables -o name")).Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact(Timeout = 120_000)]
    public async Task An_object_is_edited_and_waited_for()
    {
        using var kubectl = await RunningAsync("edited");

        Assert.Equal("service/web edited\n", await kubectl.EditAsync("svc web -n edited", "sed -i s/port:.80/port:\\ 81/"));
        Assert.Equal("81", await kubectl.RunAsync("get svc web -n edited -o jsonpath={.spec.ports[0].port}"));
        Assert.Contains("timed out", (await kubectl.TryAsync("wait -n edited svc/web --for=jsonpath={.spec.ports[0].port}=82 --timeout=1s")).Error, StringComparison.Ordinal);
        await kubectl.RunAsync("patch svc web -n edited -p '{\"spec\":{\"ports\":[{\"$patch\":\"replace\"},{\"port\":82}]}}'");
        Assert.Equal("service/web condition met\n", await kubectl.RunAsync("wait -n edited svc/web --for=jsonpath={.spec.ports[0].port}=82 --timeout=30s"));
        await kubectl.RunAsync("delete pod web-1 -n edited --wait=false");
        Assert.Equal("", await kubectl.RunAsync("wait -n edited pod/gone --for=delete --timeout=30s"));
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "ING-ST6")]
    public async Task Events_tell_what_is_wrong_and_with_what()
    {
        using var kubectl = await RunningAsync("events");
        using var told = await Watching.StartAsync(host, "/api/v1/namespaces/events/events?watch=true&fieldSelector=involvedObject.kind%3DIngress");

        await kubectl.RunAsync("patch ingress web -n events --type=json -p '[{\"op\":\"replace\",\"path\":\"/spec/rules/0/http/paths/0/backend/service/name\",\"value\":\"nobody\"}]'");
        while ((await told.NextAsync()).Name is not null && !told.Last!["message"]!.GetValue<string>().Contains("nobody", StringComparison.Ordinal))
        {
            Assert.Equal("web", told.Last!["involvedObject"]!["name"]!.GetValue<string>()); // before its Service was there
        }

        var rows = Rows(await kubectl.RunAsync("get events -n events -o wide --field-selector involvedObject.kind=Ingress"));
        Assert.Equal("LAST SEEN TYPE REASON OBJECT SUBOBJECT SOURCE MESSAGE FIRST SEEN COUNT NAME", rows[0]);
        Assert.Contains(rows, row => Regex.IsMatch(row, @"Warning \w+ ingress/web mesh .*nobody.* web\.[0-9a-f]+$"));
        Assert.Matches(@"Warning\s+\w+\s+\d+s.*mesh\s+.*nobody", await kubectl.RunAsync("describe ingress web -n events"));
    }

    private Task<Kubectl> RunningAsync(string ns) => KubectlApplication.StartAsync(host, ns);

    private static string[] Rows(string table) => KubectlApplication.Rows(table);
}
