namespace Mesh.Demo;

/// <summary>What to try by hand while the demo stays up.</summary>
internal static class Hints
{
    public static void Print(Teller tell, Cluster cluster)
    {
        tell.Chapter("Try it (Ctrl-C ends everything)");
        tell.Say($"export KUBECONFIG={cluster.Kubeconfig}");
        tell.Say("kubectl get pods,services,ingresses,endpointslices -o wide");
        tell.Say("kubectl get pods -w");
        tell.Say($"curl -H 'Host: myapp.example.com' {cluster.Ingress}api");
        tell.Say($"dig -p {cluster.Dns.Port} @{cluster.Dns.Address} soup-counter.default.svc.cluster.local");
        tell.Say("one more Pod:");
        tell.Say($"  MESH_NODE_URL=http://{cluster.Addresses["node"]} MESH_LABELS=app=soup-backend MESH_ADDRESS=allocate {Path.Combine(AppContext.BaseDirectory, "soup", "Soup")}");
        tell.Say($"kill -9 $(cat {cluster.DataDirectory}/silo.pid)   # curl and dig are still answered, kubectl is not: nothing starts it again here");
    }
}
