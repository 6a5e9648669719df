using System.Text;
using CsCheck;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Grains.Gateways;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Mesh.Testing.Certificates;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Gateways;

/// <summary>Whatever happens to Secrets and to the Ingress that names one, and however much of it waits unsent, the node ends as things are.</summary>
public sealed class CertificateOrderTests : IDisposable
{
    private const int Secrets = 2;

    private static readonly Gen<Step[]> Steps = Gen.Frequency(
        (4, Gen.Select(Gen.Int[0, Secrets - 1], Gen.Int[0, 2]).Select((secret, pair) => (Step)new Step.PutSecret(secret, pair))),
        (3, Gen.Int[0, Secrets - 1].Select(secret => (Step)new Step.RemoveSecret(secret))),
        (3, Gen.Int[0, Secrets - 1].Select(secret => (Step)new Step.PutIngress(secret))),
        (1, Gen.Const((Step)new Step.RemoveIngress())),
        (2, Gen.Const((Step)new Step.PutService())),
        (1, Gen.Const((Step)new Step.Wait())),
        (3, Gen.Const((Step)new Step.Send()))).Array[1, 24];

    private readonly TestAuthority _authority = new();
    private readonly TestCertificate[] _pairs; // the last is none

    public CertificateOrderTests()
    {
        var (one, two) = (_authority.Issue("a.test"), _authority.Issue("a.test"));
        _pairs = [one, two, one with { Key = two.Key }];
    }

    public void Dispose() => _authority.Dispose();

    [Fact]
    [Trait("Row", "ING-T05")]
    [Trait("Row", "ING-T06")]
    public void The_node_ends_with_the_certificates_that_are_named_and_can_be_shown() =>
        Steps.Sample(steps => Assert.Equal(Run(steps, out _), Play.Model(steps, _pairs)), iter: 400, threads: 1);

    [Fact]
    [Trait("Row", "ING-T05")]
    public void A_name_whose_certificate_is_there_all_along_is_never_shown_another()
    {
        // The Secrets stay; which one is named changes.
        var steps = Gen.Frequency(
            (3, Gen.Int[0, Secrets - 1].Select(secret => (Step)new Step.PutIngress(secret))),
            (2, Gen.Select(Gen.Int[0, Secrets - 1], Gen.Int[0, 1]).Select((secret, pair) => (Step)new Step.PutSecret(secret, pair))),
            (2, Gen.Const((Step)new Step.PutService())),
            (1, Gen.Const((Step)new Step.Wait())),
            (3, Gen.Const((Step)new Step.Send()))).Array[1, 24];
        Step[] first = [new Step.PutSecret(0, 0), new Step.PutSecret(1, 1), new Step.PutIngress(0)];
        steps.Sample(
            more =>
            {
                Run([.. first, .. more], out var lacked);
                Assert.False(lacked);
            },
            iter: 400,
            threads: 1);
    }

    [Fact]
    public void Steps_reach_what_matters()
    {
        var (ends, shown, returns) = (0, 0, 0);
        Steps.Sample(
            steps =>
            {
                ends += steps.Zip(steps.Skip(1)).Any(pair => pair is (Step.PutSecret put, Step.RemoveSecret removed) && put.Secret == removed.Secret) ? 1 : 0;
                returns += steps.Zip(steps.Skip(1)).Any(pair => pair is (Step.RemoveSecret removed, Step.PutSecret put) && put.Secret == removed.Secret) ? 1 : 0;
                shown += Play.Model(steps, _pairs).Length > 0 ? 1 : 0;
            },
            iter: 1_000,
            threads: 1);
        Assert.True(ends > 50 && returns > 50 && shown > 50, $"{ends} {returns} {shown}");
    }

    /// <param name="lacked">Whether, at any moment, the node routed an Ingress without the certificate that it names.</param>
    private string Run(Step[] steps, out bool lacked)
    {
        var play = new Play(_pairs);
        foreach (var step in steps)
        {
            play.Do(step);
        }

        play.Do(new Step.Wait());
        play.Do(new Step.Send());
        lacked = play.Lacked;
        return play.Shown;
    }

    /// <summary>A gateway's table and the node that it tells.</summary>
    private sealed class Play
    {
        private static readonly NamespacedName Shop = NamespacedName.Of("default", "shop");

        private readonly FakeTimeProvider _time = new();
        private readonly RoutingTable _node = new("n1");
        private readonly GatewayTable _table;
        private readonly TestCertificate[] _pairs;
        private readonly Dictionary<ObjectKey, StoredObject> _stored = [];
        private long _version;

        public Play(TestCertificate[] pairs) => (_pairs, _table) = (pairs, new GatewayTable("n1", _time));

        public bool Lacked { get; private set; }

        public string Shown => Written(_node.Current.Tls.Certificates.Select(held => (held.Key.Name, Encoding.ASCII.GetString(held.Value.Pem.Span))));

        public static string Model(Step[] steps, TestCertificate[] pairs)
        {
            var secrets = new Dictionary<int, int>();
            int? named = null;
            foreach (var step in steps)
            {
                _ = step switch
                {
                    Step.PutSecret put => secrets[put.Secret] = put.Pair,
                    Step.RemoveSecret removed => secrets.Remove(removed.Secret) ? 1 : 0,
                    Step.PutIngress put => (named = put.Secret) ?? 0,
                    Step.RemoveIngress => (named = null) ?? 0,
                    _ => 0,
                };
            }

            return named is { } secret && secrets.TryGetValue(secret, out var pair) && pair < 2 ? Written([($"s{secret}", pairs[pair].Chain)]) : "";
        }

        public void Do(Step step)
        {
            switch (step)
            {
                case Step.PutSecret(var secret, var pair):
                    Put(Kinds.Secret(Name(secret)), _pairs[pair].Secret("default", $"s{secret}"));
                    break;
                case Step.RemoveSecret(var secret):
                    Remove(Kinds.Secret(Name(secret)));
                    break;
                case Step.PutIngress(var secret):
                    Put(Kinds.Ingress(Shop), $$$"""
                        {"kind":"Ingress","metadata":{"name":"shop","namespace":"default","uid":"shop"},
                        "spec":{"tls":[{"hosts":["a.test"],"secretName":"s{{{secret}}}"}],"rules":[{"host":"a.test"}]} }
                        """);
                    break;
                case Step.RemoveIngress:
                    Remove(Kinds.Ingress(Shop));
                    break;
                case Step.PutService:
                    Put(Kinds.Service(NamespacedName.Of("default", "web")), Some.Service(NamespacedName.Of("default", "web")));
                    break;
                case Step.Wait:
                    _time.Advance(GatewayTable.PairWithin);
                    break;
                default:
                    Send();
                    break;
            }
        }

        private static NamespacedName Name(int secret) => NamespacedName.Of("default", $"s{secret}");

        /// <summary>Only the leaf: a certificate is written anew on its way.</summary>
        private static string Written(IEnumerable<(string Name, string Pem)> held) =>
            string.Join(' ', held.OrderBy(pair => pair.Name, StringComparer.Ordinal).Select(pair => $"{pair.Name}:{pair.Pem[..pair.Pem.IndexOf("-----END", StringComparison.Ordinal)]}"));

        private void Put(ObjectKey key, string document)
        {
            var version = ++_version;
            var known = _stored.GetValueOrDefault(key);
            var stored = new StoredObject(key, known?.Uid ?? $"u{version}", version, known?.CreatedVersion ?? version, false, Encoding.UTF8.GetBytes(document));
            _table.Put(_stored[key] = stored);
            _table.Release();
        }

        private void Remove(ObjectKey key)
        {
            if (_stored.Remove(key, out var known))
            {
                _table.Remove(known with { ResourceVersion = ++_version });
                _table.Release();
            }
        }

        private void Send()
        {
            _table.Release();
            while (_table.HasChanges)
            {
                foreach (var change in _table.Take())
                {
                    _node.Apply(change);
                    Look();
                }
            }
        }

        private void Look()
        {
            var isNamed = _node.Current.Tls.Names.Find("a.test")?.Secret is not null;
            var has = _node.Current.Tls.Find("a.test") is not null;
            Lacked |= isNamed && !has;
        }
    }

    private abstract record Step
    {
        private Step()
        {
        }

        public sealed record PutSecret(int Secret, int Pair) : Step;

        public sealed record RemoveSecret(int Secret) : Step;

        public sealed record PutIngress(int Secret) : Step;

        public sealed record RemoveIngress : Step;

        public sealed record PutService : Step;

        public sealed record Wait : Step;

        public sealed record Send : Step;
    }
}
