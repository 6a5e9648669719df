namespace Mesh.Grains.Abstractions.Objects;

/// <summary>Key: <c>namespace/name</c>. Owns the Service object, its ClusterIPs, its endpoints and their projections.</summary>
[Alias("mesh.IServiceGrain")]
public interface IServiceGrain : IObjectGrain, Delivery.IRowReceiver, Delivery.IEndpointPublisher;

/// <summary>Key: <c>namespace/name</c>. Owns the Pod object, the newest report of its node, its row at the registry.</summary>
[Alias("mesh.IPodGrain")]
public interface IPodGrain : IObjectGrain, Nodes.IPodReports;

/// <summary>Key: <c>namespace/name</c>. Owns the Ingress object, what of it is accepted and why not, its status.</summary>
[Alias("mesh.IIngressGrain")]
public interface IIngressGrain : IObjectGrain;

/// <summary>Key: node name. Owns the Node object and its newest link session.</summary>
[Alias("mesh.INodeGrain")]
public interface INodeGrain : IObjectGrain, Nodes.INodeSessions;
