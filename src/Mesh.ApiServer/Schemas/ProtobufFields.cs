using System.Collections.Frozen;

namespace Mesh.ApiServer.Schemas;

/// <summary>
/// Field numbers of the types that kubectl's own commands (<c>create namespace</c>, <c>create service</c>,
/// <c>create secret</c>, <c>auth</c> and so on) and elections of leaders send as protobuf, whatever the server offers. The C# types
/// do not carry them, so they are listed here (generated.proto of kubernetes/api and apimachinery). Statuses are left out:
/// clients do not set them.
/// </summary>
internal static class ProtobufFields
{
    /// <summary>The members of a nested message stand in the object itself: an embedded Go struct.</summary>
    public const string Inline = "*";

    private static readonly FrozenDictionary<string, FrozenDictionary<int, string>> All = new Dictionary<string, string>
    {
        ["ObjectMeta"] = "1 name 2 generateName 3 namespace 5 uid 6 resourceVersion 11 labels 12 annotations 13 ownerReferences 14 finalizers",
        ["OwnerReference"] = "1 kind 3 name 4 uid 5 apiVersion 6 controller 7 blockOwnerDeletion",
        ["DeleteOptions"] = "1 gracePeriodSeconds 2 preconditions 3 orphanDependents 4 propagationPolicy 5 dryRun",
        ["Preconditions"] = "1 uid 2 resourceVersion",
        ["Namespace"] = "1 metadata 2 spec",
        ["NamespaceSpec"] = "1 finalizers",
        ["Service"] = "1 metadata 2 spec",
        ["ServiceSpec"] = "1 ports 2 selector 3 clusterIP 4 type 5 externalIPs 7 sessionAffinity 8 loadBalancerIP 9 loadBalancerSourceRanges "
            + "10 externalName 11 externalTrafficPolicy 12 healthCheckNodePort 13 publishNotReadyAddresses 14 sessionAffinityConfig "
            + "17 ipFamilyPolicy 18 clusterIPs 19 ipFamilies 20 allocateLoadBalancerNodePorts 21 loadBalancerClass "
            + "22 internalTrafficPolicy 23 trafficDistribution",
        ["ServicePort"] = "1 name 2 protocol 3 port 4 targetPort 5 nodePort 6 appProtocol",
        ["SessionAffinityConfig"] = "1 clientIP",
        ["ClientIPConfig"] = "1 timeoutSeconds",
        ["Ingress"] = "1 metadata 2 spec",
        ["IngressSpec"] = "1 defaultBackend 2 tls 3 rules 4 ingressClassName",
        ["IngressTLS"] = "1 hosts 2 secretName",
        ["IngressRule"] = $"1 host 2 {Inline}",
        [Inline] = "1 http",
        ["HTTPIngressRuleValue"] = "1 paths",
        ["HTTPIngressPath"] = "1 path 2 backend 3 pathType",
        ["IngressBackend"] = "3 resource 4 service",
        ["IngressServiceBackend"] = "1 name 2 port",
        ["ServiceBackendPort"] = "1 name 2 number",
        ["ConfigMap"] = "1 metadata 2 data 3 binaryData 4 immutable",
        ["Secret"] = "1 metadata 2 data 3 type 4 stringData 5 immutable",
        ["ServiceAccount"] = "1 metadata 2 secrets 3 imagePullSecrets 4 automountServiceAccountToken",
        ["ObjectReference"] = "1 kind 2 namespace 3 name 4 uid 5 apiVersion 6 resourceVersion 7 fieldPath",
        ["LocalObjectReference"] = "1 name",
        ["IngressClass"] = "1 metadata 2 spec",
        ["IngressClassSpec"] = "1 controller 2 parameters",
        ["IngressClassParametersReference"] = "1 apiGroup 2 kind 3 name 4 scope 5 namespace",
        ["Lease"] = "1 metadata 2 spec",
        ["LeaseSpec"] = "1 holderIdentity 2 leaseDurationSeconds 3 acquireTime 4 renewTime 5 leaseTransitions 6 strategy 7 preferredHolder",
        ["SelfSubjectAccessReview"] = "1 metadata 2 spec",
        ["SelfSubjectAccessReviewSpec"] = "1 resourceAttributes 2 nonResourceAttributes",
        ["ResourceAttributes"] = "1 namespace 2 verb 3 group 4 version 5 resource 6 subresource 7 name",
        ["NonResourceAttributes"] = "1 path 2 verb",
        ["SelfSubjectRulesReview"] = "1 metadata 2 spec",
        ["SelfSubjectRulesReviewSpec"] = "1 namespace",
        ["SelfSubjectReview"] = "1 metadata",
        ["TypedLocalObjectReference"] = "1 apiGroup 2 kind 3 name",
    }.ToFrozenDictionary(type => type.Key, type => Numbers(type.Value));

    /// <summary>Null: objects of the type are read as JSON only.</summary>
    public static FrozenDictionary<int, string>? Of(ObjectSchema schema) =>
        All.GetValueOrDefault(schema.Name[(schema.Name.LastIndexOf('.') + 1)..]);

    public static FrozenDictionary<int, string> OfInline { get; } = All[Inline];

    private static FrozenDictionary<int, string> Numbers(string list) => list.Split(' ').Chunk(2).ToFrozenDictionary(
        pair => int.Parse(pair[0], System.Globalization.CultureInfo.InvariantCulture), pair => pair[1]);
}
