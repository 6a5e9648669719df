using System.Collections.Frozen;
using System.Collections.Immutable;
using Mesh.ApiServer.Schemas;
using Mesh.Grains.Abstractions.Objects;

namespace Mesh.ApiServer.Resources;

/// <summary>All kinds that this version serves. A new kind is one more line here.</summary>
public sealed class ResourceCatalog
{
    private readonly FrozenDictionary<(string Group, string Version, string Plural), Resource> _byPath;

    public ResourceCatalog()
    {
        var schemas = new SchemaReader();
        var node = ReadOnlyResources.Node(schemas);
        All =
        [
            NamespaceResource.Create(schemas),
            node,
            ConfigMapResource.Create(schemas),
            SecretResource.Create(schemas),
            ServiceAccountResource.Create(schemas),
            PodResource.Create(schemas),
            ServiceResource.Create(schemas),
            ReadOnlyResources.Endpoints(schemas),
            ReadOnlyResources.Event(schemas),
            IngressResource.Create(schemas),
            IngressClassResource.Create(schemas),
            ReadOnlyResources.EndpointSlice(schemas),
            LeaseResource.Create(schemas, node),
            ComponentStatusResource.Create(schemas, node),
            .. ReviewResources.All(schemas),
        ];
        _byPath = All.ToFrozenDictionary(resource => (resource.Group, resource.Version, resource.Plural));
        Namespaces = Find("", "v1", "namespaces")!;
        IngressClasses = Find(Core.Names.Kinds.NetworkingGroup, "v1", "ingressclasses")!;
        DeleteOptions = schemas.Read(typeof(k8s.Models.V1DeleteOptions));
    }

    public ImmutableArray<Resource> All { get; }

    /// <summary>The kinds whose objects the store has: those that can own and be owned.</summary>
    public ServedKinds Kinds => new(
    [
        .. All.Where(resource => resource.WrittenBy is WrittenBy.Grain or WrittenBy.Store or WrittenBy.Others && resource.Kind != "Event")
            .Select(resource => new ServedKind(resource.Group, resource.Version, resource.Kind, resource.IsNamespaced)),
    ]);

    public Resource Namespaces { get; }

    public Resource IngressClasses { get; }

    public ObjectSchema DeleteOptions { get; }

    /// <summary>Groups with their versions, the core group first.</summary>
    public IEnumerable<IGrouping<(string Group, string Version), Resource>> Groups =>
        All.GroupBy(resource => (resource.Group, resource.Version));

    public Resource? Find(string group, string version, string plural) => _byPath.GetValueOrDefault((group, version, plural));
}
