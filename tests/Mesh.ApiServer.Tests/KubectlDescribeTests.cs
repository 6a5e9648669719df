using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>kubectl describe, whole: endpoints, conditions, reasons and Events of each kind.</summary>
public sealed class KubectlDescribeTests(GrainHost host) : IClassFixture<GrainHost>
{
    private const string Refused = "127.0.0.1:8080: Connection refused";

    [Fact(Timeout = 120_000)]
    public async Task A_service_with_its_endpoints()
    {
        using var kubectl = await KubectlApplication.StartAsync(host, "services");

        AssertRows(
            """
            Name: web
            Namespace: services
            Labels: <none>
            Annotations: <none>
            Selector: app=web
            Type: ClusterIP
            IP Family Policy: SingleStack
            IP Families: IPv4
            IP: CLUSTER-IP
            IPs: CLUSTER-IP
            Port: http 80/TCP
            TargetPort: http/TCP
            Endpoints: 127.0.0.1:8080
            Session Affinity: None
            Internal Traffic Policy: Cluster
            Events: <none>
            """,
            await kubectl.RunAsync("describe svc web -n services"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_pod_whose_probe_fails_with_its_conditions_and_the_reason()
    {
        using var kubectl = await KubectlApplication.StartAsync(host, "pods");
        await host.ReportUnhealthyAsync("pods", "web-1", await KubectlApplication.UidAsync(kubectl, "pods"), 2, Refused);
        await kubectl.RunAsync("wait -n pods pod/web-1 --for=condition=Ready=false --timeout=30s");
        await kubectl.RunAsync("wait -n pods events --field-selector reason=Unhealthy --for=jsonpath={.count}=1 --all --timeout=30s");

        Assert.Equal(
            $"ContainersNotReady {Refused}",
            await kubectl.RunAsync("get pod web-1 -n pods -o 'jsonpath={.status.conditions[?(@.type==\"Ready\")].reason} {.status.conditions[?(@.type==\"Ready\")].message}'"));
        AssertRows(
            $"""
            Name: web-1
            Namespace: pods
            Node: machine-1/127.0.0.1
            Start Time: TIME
            Labels: app=web
            Annotations: mesh.internal/pod-ip: 127.0.0.1
            Status: Running
            IP: 127.0.0.1
            IPs:
            IP: 127.0.0.1
            Containers:
            web:
            Container ID:
            Image:
            Image ID:
            Port: 8080/TCP
            Host Port: 0/TCP
            State: Running
            Started: TIME
            Ready: False
            Restart Count: 0
            Environment: <none>
            Mounts: <none>
            Conditions:
            Type Status
            PodScheduled True
            Initialized True
            ContainersReady False
            Ready False
            Volumes: <none>
            QoS Class: BestEffort
            Node-Selectors: <none>
            Tolerations: <none>
            Events:
            Type Reason Age From Message
            ---- ------ ---- ---- -------
            Warning Unhealthy AGE mesh Readiness probe failed: {Refused}
            """,
            await kubectl.RunAsync("describe pod web-1 -n pods"));
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "ING-ST5")]
    [Trait("Row", "ING-ST6")]
    public async Task An_ingress_with_its_backends_and_what_is_wrong_with_one()
    {
        using var kubectl = await KubectlApplication.StartAsync(host, "ingresses");
        await kubectl.RunAsync("patch ingress web -n ingresses --type=json -p '[{\"op\":\"add\",\"path\":\"/spec/rules/0/http/paths/-\",\"value\":{\"path\":\"/no\",\"pathType\":\"Exact\",\"backend\":{\"service\":{\"name\":\"nobody\",\"port\":{\"number\":80}}}}}]'");
        await kubectl.RunAsync("wait -n ingresses events --field-selector reason=ServiceNotFound --for=jsonpath={.involvedObject.kind}=Ingress --all --timeout=30s");

        AssertRows(
            """
            Name: web
            Labels: <none>
            Namespace: ingresses
            Address: 127.0.0.1
            Ingress Class: <none>
            Default backend: <default>
            Rules:
            Host Path Backends
            ---- ---- --------
            ingresses.example
            / web:http (127.0.0.1:8080)
            /no nobody:80 (<error: services "nobody" not found>)
            Annotations: <none>
            Events:
            Type Reason Age From Message
            ---- ------ ---- ---- -------
            Warning ServiceNotFound AGE mesh Service ingresses/nobody does not exist; its requests are answered 503
            """,
            await kubectl.RunAsync("describe ingress web -n ingresses"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_node_with_its_condition_lease_addresses_and_Pods()
    {
        using var kubectl = await KubectlApplication.StartAsync(host, "nodes");

        var described = KubectlApplication.Rows(await kubectl.RunAsync("describe node machine-1"));
        AssertRows(
            """
            Name: machine-1
            Roles: <none>
            Labels: kubernetes.io/arch=amd64
            kubernetes.io/hostname=machine-1
            kubernetes.io/os=linux
            Annotations: mesh.internal/incarnation: 1
            CreationTimestamp: TIME
            Taints: <none>
            Unschedulable: false
            Lease:
            HolderIdentity: machine-1
            AcquireTime: TIME
            RenewTime: TIME
            Conditions:
            Type Status LastHeartbeatTime LastTransitionTime Reason Message
            ---- ------ ----------------- ------------------ ------ -------
            Ready True TIME TIME NodeLinked the node is linked to a silo
            Addresses:
            InternalIP: 127.0.0.1
            Hostname: machine-1
            Capacity:
            cpu: 2
            memory: 1Gi
            pods: 10k
            Allocatable:
            cpu: 2
            memory: 1Gi
            pods: 10k
            System Info:
            Machine ID:
            System UUID:
            Boot ID: boot-1
            Kernel Version: 6.1
            OS Image: Linux
            Operating System: linux
            Architecture: amd64
            Container Runtime Version: mesh://0.1.0
            Kubelet Version: v0.1.0
            Kube-Proxy Version: v0.1.0
            """,
            string.Join('\n', described.TakeWhile(row => !row.StartsWith("Non-terminated Pods", StringComparison.Ordinal))));
        Assert.Contains("nodes web-1 0 (0%) 0 (0%) 0 (0%) 0 (0%) AGE", described);
        Assert.Equal("Events: <none>", described[^1]);
    }

    [Fact(Timeout = 120_000)]
    public async Task Endpoints_and_slices_with_the_Pod_behind_them()
    {
        using var kubectl = await KubectlApplication.StartAsync(host, "endpoints");

        AssertRows(
            """
            Name: web
            Namespace: endpoints
            Labels: <none>
            Annotations: endpoints.kubernetes.io/last-change-trigger-time: TIME
            Subsets:
            Addresses: 127.0.0.1
            NotReadyAddresses: <none>
            Ports:
            Name Port Protocol
            ---- ---- --------
            http 8080 TCP
            Events: <none>
            """,
            await kubectl.RunAsync("describe endpoints web -n endpoints"));
        AssertRows(
            """
            Name: web-DRAWN
            Namespace: endpoints
            Labels: endpointslice.kubernetes.io/managed-by=endpointslice-controller.k8s.io
            kubernetes.io/service-name=web
            Annotations: endpoints.kubernetes.io/last-change-trigger-time: TIME
            AddressType: IPv4
            Ports:
            Name Port Protocol
            ---- ---- --------
            http 8080 TCP
            Endpoints:
            - Addresses: 127.0.0.1
            Conditions:
            Ready: true
            Hostname: <unset>
            TargetRef: Pod/web-1
            NodeName: machine-1
            Zone: <unset>
            Events: <none>
            """,
            await kubectl.RunAsync("describe endpointslices -n endpoints"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_namespace()
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        using var kubectl = new Kubectl(host);
        await kubectl.RunAsync("create namespace described");

        AssertRows(
            """
            Name: described
            Labels: kubernetes.io/metadata.name=described
            Annotations: <none>
            Status: Active
            """,
            await kubectl.RunAsync("describe ns described"));
    }

    private static void AssertRows(string expected, string described) =>
        Assert.Equal(expected, string.Join('\n', KubectlApplication.Rows(described)));
}
