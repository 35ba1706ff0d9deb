import { type Action, action, required } from './ec2/action.ts';
import { invalidValue } from './wire/service-error.ts';

/** The products of one instance type: one, of Linux on shared hosts, where it has a price. */
const getProducts = action(
  'ServiceCode FormatVersion MaxResults NextToken Filters.N{Type Field Value}',
  ({ settings: { onDemandPrices, region } }, params) => {
    const service = required(params.text('ServiceCode'), 'ServiceCode');
    if (service !== 'AmazonEC2') throw invalidValue(`The emulator has no prices of ${service}`);
    const wanted = new Map(params.each('Filters').map((each) => [each.text('Field'), each.text('Value')]));
    const type = required(wanted.get('instanceType'), 'the filter instanceType');
    const price = wanted.get('regionCode') === region ? onDemandPrices[type] : undefined;
    if (price === undefined) return { FormatVersion: 'aws_v1', PriceList: [] };
    const product = {
      product: { productFamily: 'Compute Instance', attributes: { instanceType: type, regionCode: region } },
      serviceCode: service,
      terms: {
        OnDemand: {
          'SKU.TERM': { priceDimensions: { 'SKU.TERM.RATE': { unit: 'Hrs', pricePerUnit: { USD: String(price) } } } },
        },
      },
    };
    return { FormatVersion: 'aws_v1', PriceList: [JSON.stringify(product)] };
  },
);

export const pricingActions: ReadonlyMap<string, Action> = new Map([['GetProducts', getProducts]]);
