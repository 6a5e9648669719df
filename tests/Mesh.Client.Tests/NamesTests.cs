using CsCheck;
using Mesh.Client.Names;
using Mesh.Core.Names;
using Xunit;
using AddressText = Mesh.Client.Names.AddressText;

namespace Mesh.Client.Tests;

/// <summary>The SDK carries its own few rules for names, so that it brings no other assembly; they are those of the API.</summary>
public sealed class NamesTests
{
    private static readonly string[] Addresses = ["127.0.0.1", "1", "0x7f.1", "010.0.0.1", "::1", "fe80::1%eth0", "[::1]", "::ffff:1.2.3.4", "1.2.3.4.", "", "localhost"];

    private static readonly int[] Lengths = [0, 0, 0, 62, 63, 64, 250];

    private static readonly Gen<string> Text =
        Gen.Select(Gen.Char["aZ0-._/*é"].Array[0, 6], Gen.OneOf([.. Lengths.Select(length => Gen.Const(length))]), (few, many) => new string(few) + new string('a', many));

    [Fact]
    public void The_SDK_takes_the_names_that_Core_takes() => Text.Sample(text =>
    {
        Assert.Equal(DnsLabel.IsValid(text), DnsNames.IsLabel(text));
        Assert.Equal(DnsSubdomain.IsValid(text), DnsNames.IsSubdomain(text));
        Assert.Equal(NameRules.IsQualifiedName(text), MetadataNames.IsQualifiedName(text));
        Assert.Equal(NameRules.IsLabelValue(text), MetadataNames.IsLabelValue(text));
        Assert.Equal(NameRules.IsPortName(text), MetadataNames.IsPortName(text));
    });

    [Fact]
    public void The_samples_reach_both_answers()
    {
        var texts = Text.Array[5000].Single();

        Assert.All(
            (Func<string, bool>[])[DnsNames.IsLabel, DnsNames.IsSubdomain, MetadataNames.IsQualifiedName, MetadataNames.IsLabelValue, MetadataNames.IsPortName],
            rule => Assert.InRange(texts.Count(rule), 20, texts.Length - 20));
    }

    [Fact]
    public void The_SDK_reads_the_addresses_that_Core_reads() => Assert.All(
        Addresses,
        text => Assert.Equal(Core.Names.AddressText.TryParse(text, out var ours) ? ours : null, AddressText.TryParse(text, out var theirs) ? theirs : null));

    [Fact]
    public void Annotations_have_the_names_that_Core_knows() =>
        Assert.Equal((MeshAnnotations.Prefix, MeshAnnotations.Readiness), (MetadataNames.OwnPrefix, PodRegistration.ReadinessAnnotation));
}
